//! `/v1/policies`: what an organization forbids in Cedar, beyond permissions and restrictions.

mod create;
mod delete;
mod list;
mod schema;
mod show;
mod test;
mod update;

use crate::state::App;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create::create, list::list))
        .routes(routes!(schema::schema))
        .routes(routes!(test::test))
        .routes(routes!(show::show, update::update, delete::delete))
}
