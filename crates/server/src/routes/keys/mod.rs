//! `/v1/keys/{id}`: one issued key, and `/v1/keys/mint`.

mod delete;
mod disable;
mod enable;
mod mint;
mod reveal;
mod revoke;
mod rotate;
mod show;
mod suspend;
mod update;

use crate::state::App;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(show::show, update::update, delete::delete))
        .routes(routes!(disable::disable))
        .routes(routes!(enable::enable))
        .routes(routes!(suspend::suspend))
        .routes(routes!(revoke::revoke))
        .routes(routes!(reveal::reveal))
        .routes(routes!(mint::mint))
        .merge(rotate::routes())
}
