//! `/v1/keys/{id}/rotate`: a new secret for a key.

mod cancel;
mod complete;
mod start;

use crate::state::App;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(start::start))
        .routes(routes!(complete::complete))
        .routes(routes!(cancel::cancel))
}
