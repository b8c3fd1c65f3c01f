//! `/v1/verify`: may this request pass?

mod batch;
mod one;

use crate::state::App;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(one::verify)).routes(routes!(batch::verify_batch))
}
