//! `/v1/organizations`: tenants, for the installation's operator.

mod create;
mod list;
mod show;

use crate::state::App;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(create::create, list::list)).routes(routes!(show::show))
}
