//! `/v1/contacts`, `/v1/contact-confirmations`: how organizations are reached, for anybody.

mod confirm;
mod show;

use crate::state::App;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(confirm::confirm)).routes(routes!(show::show))
}
