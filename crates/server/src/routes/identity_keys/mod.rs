//! `/v1/identity-keys`: the keys that sign whose request an API has, for the installation's operator.

mod list;
mod replace;

use crate::state::App;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list::list)).routes(routes!(replace::replace))
}
