//! `/v1/projects/{project}/guard`: how the project's API is guarded.

mod import;
mod mode;
mod report;
mod set;
mod show;

use crate::state::App;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(in crate::routes) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(show::show, set::set))
        .routes(routes!(mode::mode))
        .routes(routes!(import::import))
        .routes(routes!(report::report))
}
