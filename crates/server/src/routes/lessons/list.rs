//! `GET /v1/lessons`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::state::App;
use axum::extract::State;
use keystead_api::Lessons;

/// Every lesson, with when the caller passed it. For everybody in the organization.
#[utoipa::path(get, path = "/v1/lessons", tag = "guidelines", operation_id = "list_lessons",
    responses((status = 200, body = Lessons), Problems))]
pub(super) async fn list(
    State(app): State<App>,
    Called(caller): Called,
) -> Result<Json<Lessons>, ApiProblem> {
    Ok(Json(app.keystead.list_lessons(&caller).await?))
}
