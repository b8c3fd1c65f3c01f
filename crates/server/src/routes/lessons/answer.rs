//! `POST /v1/lessons/{lesson}/answers`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Path;
use crate::state::App;
use axum::extract::State;
use keystead_api::{AnswerLesson, LessonResult};

/// Takes the answers to a lesson's questions; when all are right, the lesson is passed. Needs a session of a person.
#[utoipa::path(post, path = "/v1/lessons/{lesson}/answers", tag = "guidelines", operation_id = "answer_lesson",
    params(("lesson" = String, Path, description = "Its name.")), request_body = AnswerLesson,
    responses((status = 200, body = LessonResult), Problems))]
pub(super) async fn answer(
    State(app): State<App>,
    Called(caller): Called,
    Path(name): Path<String>,
    Json(input): Json<AnswerLesson>,
) -> Result<Json<LessonResult>, ApiProblem> {
    Ok(Json(app.keystead.answer_lesson(&caller, &name, &input).await?))
}
