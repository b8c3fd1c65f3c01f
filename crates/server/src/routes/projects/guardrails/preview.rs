//! `POST /v1/projects/{project}/guardrails/preview`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Path;
use crate::state::App;
use axum::extract::State;
use keystead_api::{Guardrails, GuardrailsPreview};

/// How many keys that exist would violate a project's guardrails if these were set. Needs `guardrails.write`.
#[utoipa::path(post, path = "/v1/projects/{project}/guardrails/preview", tag = "guardrails", operation_id = "preview_project_guardrails",
    params(("project" = String, Path, description = "The project's id or slug.")),
    request_body = Guardrails, responses((status = 200, body = GuardrailsPreview), Problems))]
pub(super) async fn preview(
    State(app): State<App>,
    Called(caller): Called,
    Path(project): Path<String>,
    Json(rules): Json<Guardrails>,
) -> Result<Json<GuardrailsPreview>, ApiProblem> {
    Ok(Json(app.keystead.preview_project_guardrails(&caller, &project, &rules).await?))
}
