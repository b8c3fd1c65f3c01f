//! `/v1/audit`: who did what, and what shows that nobody changed it since.

mod checkpoints;
mod export;
mod list;

use crate::state::App;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list::audit))
        .routes(routes!(checkpoints::checkpoints))
        .routes(routes!(export::export))
}
