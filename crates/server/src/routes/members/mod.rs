//! `/v1/members`: the people of an organization.

mod create;
mod delete;
mod hand_over;
mod invite;
mod keys;
mod list;
mod sessions;
mod show;
mod update;

use crate::state::App;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create::create, list::list))
        .routes(routes!(show::show, update::update, delete::delete))
        .routes(routes!(keys::keys))
        .routes(routes!(hand_over::hand_over))
        .routes(routes!(invite::invite))
        .routes(routes!(sessions::end))
}
