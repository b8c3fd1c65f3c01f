//! `/v1/projects/{project}/keys`: a project's issued keys.

mod counts;
mod create;
mod list;

use crate::state::App;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(create::create, list::list)).routes(routes!(counts::counts))
}
