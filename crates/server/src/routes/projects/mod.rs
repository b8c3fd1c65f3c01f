//! `/v1/projects`, and what is in a project.

mod consumers;
mod create;
mod environments;
mod guard;
mod guardrails;
mod keys;
mod list;
mod notices;
mod permissions;
mod roles;
mod rotation_plan;
mod service_accounts;
mod show;
mod unknown_keys;
mod update;

use crate::state::App;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create::create, list::list))
        .routes(routes!(show::show, update::update))
        .routes(routes!(unknown_keys::unknown_keys))
        .merge(consumers::routes())
        .merge(environments::routes())
        .merge(guard::routes())
        .merge(guardrails::routes())
        .merge(keys::routes())
        .merge(notices::routes())
        .merge(permissions::routes())
        .merge(roles::routes())
        .merge(rotation_plan::routes())
        .merge(service_accounts::routes())
}
