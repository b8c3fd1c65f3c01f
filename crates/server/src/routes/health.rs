//! Is it alive, is it ready, and what has it counted? Answered without a key.

use crate::metrics::{CONTENT_TYPE, Live};
use crate::problem::{ApiProblem, ProblemCode};
use crate::state::App;
use axum::extract::State;
use axum::response::IntoResponse;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(livez)).routes(routes!(readyz)).routes(routes!(metrics))
}

/// The process runs.
#[utoipa::path(get, path = "/livez", tag = "operation", responses((status = 200, body = String)), security(()))]
async fn livez() -> &'static str {
    "ok\n"
}

/// Every key is resident, the node knows of every change and may count rate limits: it can answer.
#[utoipa::path(get, path = "/readyz", tag = "operation", security(()), responses(
    (status = 200, body = String),
    (status = 503, description = "The server cannot answer now.", body = keystead_api::Problem, content_type = "application/problem+json"),
))]
async fn readyz(State(app): State<App>) -> Result<&'static str, ApiProblem> {
    let why = if !app.keystead.is_fresh() {
        "This node cannot know of every change right now."
    } else if !app.keystead.may_count() {
        "Another node, which may be dead, still counts the rate limits."
    } else {
        return Ok("ready\n");
    };
    Err(ApiProblem::new(ProblemCode::Unavailable, why))
}

/// Counters and gauges in the OpenMetrics text format.
#[utoipa::path(get, path = "/metrics", tag = "operation", security(()),
    responses((status = 200, body = String, content_type = "application/openmetrics-text")))]
async fn metrics(State(app): State<App>) -> impl IntoResponse {
    let mut verdicts = [0; keystead_api::Code::ALL.len()];
    for (slot, (_, count)) in verdicts.iter_mut().zip(app.keystead.counters().verdicts()) {
        *slot = count;
    }
    let live = Live {
        verdicts,
        keys_resident: u64::try_from(app.keystead.keys_resident()).unwrap_or(u64::MAX),
        log_is_kept: app.keystead.log_is_kept(),
        usage_events_dropped: app.keystead.usage_dropped(),
        leases: app.keystead.counters().leases(),
        acts: app.keystead.counters().acts(),
        unknown_callers: app.keystead.counters().unknown_callers(),
        refused_at_guards: app.keystead.counters().refused_at_guards(),
        observed_at_guards: app.keystead.counters().observed_at_guards(),
        nodes: u64::try_from(app.keystead.nodes_alive()).unwrap_or(u64::MAX),
        feed_mark: u64::try_from(app.keystead.feed_mark()).unwrap_or(0),
        is_fresh: app.keystead.is_fresh(),
        mail: app.keystead.mail_counts(),
    };
    ([(http::header::CONTENT_TYPE, CONTENT_TYPE)], app.metrics.text(live))
}
