//! `POST /v1/sessions/current/second-factor`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::state::App;
use axum::extract::State;
use keystead_api::{ProveSecondFactor, Session};

/// Proves the second factor again, for what asks for it within the next ten minutes.
#[utoipa::path(post, path = "/v1/sessions/current/second-factor", tag = "account", operation_id = "step_up", request_body = ProveSecondFactor,
    responses((status = 200, body = Session), Problems))]
pub(super) async fn step_up(
    State(app): State<App>,
    Called(caller): Called,
    Json(input): Json<ProveSecondFactor>,
) -> Result<Json<Session>, ApiProblem> {
    Ok(Json(app.keystead.step_up(&caller, &input).await?))
}
