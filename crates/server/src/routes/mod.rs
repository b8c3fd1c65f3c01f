//! The routes. Folders mirror URLs; each file is one operation: extract, call one use case, present.

mod account;
mod approvals;
mod audit;
mod contacts;
mod guard;
mod guardrails;
mod guidelines;
mod health;
mod hygiene;
mod identity_keys;
mod identity_providers;
mod invitations;
mod keys;
mod lessons;
mod mail;
mod members;
mod nodes;
mod organizations;
mod passkeys;
mod policies;
mod projects;
mod root_key;
mod sessions;
mod sign_in;
mod teams;
mod verify;
mod well_known;
mod whoami;

pub use guard::doors;

use crate::openapi::{Description, finish};
use crate::state::App;
use axum::Router;
use axum::routing::get;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use utoipa::OpenApi;
use utoipa::openapi::OpenApi as Document;
use utoipa_axum::router::OpenApiRouter;

/// Every route, and their description.
fn described() -> (Router<App>, Document) {
    let (router, mut document) = OpenApiRouter::with_openapi(Description::openapi())
        .merge(account::routes())
        .merge(approvals::routes())
        .merge(audit::routes())
        .merge(contacts::routes())
        .merge(guardrails::routes())
        .merge(guidelines::routes())
        .merge(health::routes())
        .merge(hygiene::routes())
        .merge(identity_keys::routes())
        .merge(identity_providers::routes())
        .merge(invitations::routes())
        .merge(keys::routes())
        .merge(lessons::routes())
        .merge(mail::routes())
        .merge(members::routes())
        .merge(nodes::routes())
        .merge(organizations::routes())
        .merge(policies::routes())
        .merge(projects::routes())
        .merge(root_key::routes())
        .merge(sessions::routes())
        .merge(sign_in::routes())
        .merge(teams::routes())
        .merge(verify::routes())
        .merge(well_known::routes())
        .merge(whoami::routes())
        .split_for_parts();
    finish(&mut document);
    (router, document)
}

/// The API's description, as committed in `docs/openapi.json`.
#[must_use]
pub fn document() -> Document {
    described().1
}

/// Every route, ready to be served behind [`crate::front::Front`].
pub fn router(app: App) -> Router {
    let (router, document) = described();
    // Made once, and shared by every answer.
    let document = Bytes::from(document.to_json().unwrap_or_default());
    let answer = move || async move { ([(CONTENT_TYPE, "application/json")], document) };
    router
        .merge(passkeys::routes())
        .merge(guard::routes())
        .route("/openapi.json", get(answer))
        .with_state(app)
}
