//! `/v1/sessions/passkey`: signing in with nothing but a passkey.

mod begin;
mod finish;
mod step_up;

use crate::state::App;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(begin::begin))
        .routes(routes!(finish::finish))
        .routes(routes!(step_up::begin))
}
