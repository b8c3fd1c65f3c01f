//! `/v1/guidelines`: the organization's rules for handling keys, and who has accepted them.

mod accept;
mod publish;
mod report;
mod show;

use crate::state::App;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(show::show, publish::publish))
        .routes(routes!(accept::accept))
        .routes(routes!(report::report))
}
