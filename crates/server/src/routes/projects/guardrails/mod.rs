//! `/v1/projects/{project}/guardrails`: what keys may be at most.

mod preview;
mod report;
mod set;
mod show;

use crate::state::App;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(in crate::routes) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(show::show, set::set))
        .routes(routes!(preview::preview))
        .routes(routes!(report::report))
}
