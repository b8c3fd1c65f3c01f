//! `GET /v1/sessions/current`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::state::App;
use axum::extract::State;
use keystead_api::CurrentSession;

/// The session that asks, and whose it is. For people who signed in.
#[utoipa::path(get, path = "/v1/sessions/current", tag = "account", operation_id = "current_session",
    responses((status = 200, body = CurrentSession), Problems))]
pub(super) async fn current(
    State(app): State<App>,
    Called(caller): Called,
) -> Result<Json<CurrentSession>, ApiProblem> {
    Ok(Json(app.keystead.current_session(&caller).await?))
}
