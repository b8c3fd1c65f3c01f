//! `/v1/account/passkeys`: one's own passkeys.

mod add;
mod begin;
mod delete;
mod list;
mod update;

use crate::state::App;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list::list, add::add))
        .routes(routes!(begin::begin))
        .routes(routes!(update::update, delete::delete))
}
