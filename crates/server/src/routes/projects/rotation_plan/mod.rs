//! `/v1/projects/{project}/rotation-plan`: how old a project's keys may become.

mod set;
mod show;

use crate::state::App;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(show::show, set::set))
}
