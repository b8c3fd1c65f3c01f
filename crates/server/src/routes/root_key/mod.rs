//! `/v1/root-key`: the key that seals every other, for the installation's operator.

mod retire;
mod rotate;
mod show;

use crate::state::App;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(show::show))
        .routes(routes!(rotate::rotate))
        .routes(routes!(retire::retire))
}
