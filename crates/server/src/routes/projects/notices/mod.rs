//! `/v1/projects/{project}/notices`: what people are told about their keys.

mod list;
mod retry;

use crate::state::App;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list::list)).routes(routes!(retry::retry))
}
