//! `/v1/sign-in/oidc`: signing in through an organization's identity provider.

mod callback;
mod finish;
mod start;

use crate::state::App;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(start::start))
        .routes(routes!(finish::finish))
        .routes(routes!(callback::callback))
}
