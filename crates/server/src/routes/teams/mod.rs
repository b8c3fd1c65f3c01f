//! `/v1/teams`: what members may do together, and who is in them.

mod ask_contact;
mod create;
mod delete;
mod join;
mod leave;
mod list;
mod members;
mod show;
mod update;

use crate::state::App;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create::create, list::list))
        .routes(routes!(show::show, update::update, delete::delete))
        .routes(routes!(ask_contact::ask_contact))
        .routes(routes!(members::members))
        .routes(routes!(join::join, leave::leave))
}
