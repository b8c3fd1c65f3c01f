//! `/v1/projects/{project}/keys`: a project's issued keys.

mod batch;
mod bulk;
mod counts;
mod create;
mod due;
mod export;
mod import;
mod list;

use crate::state::App;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create::create, list::list))
        .routes(routes!(counts::counts))
        .routes(routes!(due::due))
        .routes(routes!(batch::batch))
        .routes(routes!(bulk::bulk))
        .routes(routes!(export::export))
        .routes(routes!(import::import))
}
