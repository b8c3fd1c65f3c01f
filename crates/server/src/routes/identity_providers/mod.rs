//! `/v1/identity-providers`: through whom an organization's members sign in.

mod create;
mod delete;
mod list;
mod show;
mod test;
mod update;

use crate::state::App;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create::create, list::list))
        .routes(routes!(show::show, update::update, delete::delete))
        .routes(routes!(test::test))
}
