//! `/v1/approvals`: what one person asks for, another decides on, and the first then does.

mod approve;
mod create;
mod deny;
mod list;
mod redeem;
mod show;
mod withdraw;

use crate::state::App;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create::create, list::list))
        .routes(routes!(show::show))
        .routes(routes!(approve::approve))
        .routes(routes!(deny::deny))
        .routes(routes!(redeem::redeem))
        .routes(routes!(withdraw::withdraw))
}
