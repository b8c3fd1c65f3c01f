//! `POST /v1/guardrails/preview`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::state::App;
use axum::extract::State;
use keystead_api::{Guardrails, GuardrailsPreview};

/// How many keys that exist would violate the organization's guardrails if these were set. Needs `guardrails.write`.
#[utoipa::path(post, path = "/v1/guardrails/preview", tag = "guardrails", operation_id = "preview_organization_guardrails",
    request_body = Guardrails, responses((status = 200, body = GuardrailsPreview), Problems))]
pub(super) async fn preview(
    State(app): State<App>,
    Called(caller): Called,
    Json(rules): Json<Guardrails>,
) -> Result<Json<GuardrailsPreview>, ApiProblem> {
    Ok(Json(app.keystead.preview_guardrails(&caller, &rules).await?))
}
