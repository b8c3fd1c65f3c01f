//! `GET /v1/lessons/{lesson}`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Path;
use crate::state::App;
use axum::extract::State;
use keystead_api::Lesson;

/// One lesson with its questions. For everybody in the organization.
#[utoipa::path(get, path = "/v1/lessons/{lesson}", tag = "guidelines", operation_id = "show_lesson",
    params(("lesson" = String, Path, description = "Its name.")),
    responses((status = 200, body = Lesson), Problems))]
pub(super) async fn show(
    State(app): State<App>,
    Called(caller): Called,
    Path(name): Path<String>,
) -> Result<Json<Lesson>, ApiProblem> {
    Ok(Json(app.keystead.lesson(&caller, &name).await?))
}
