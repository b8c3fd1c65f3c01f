//! `PUT /v1/projects/{project}/guardrails`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Path;
use crate::state::App;
use crate::version::{IfMatch, Versioned};
use axum::extract::State;
use keystead_api::{Guardrails, GuardrailsView};

/// Replaces a project's guardrails; keys that exist stay as they are. Needs `guardrails.write`.
#[utoipa::path(put, path = "/v1/projects/{project}/guardrails", tag = "guardrails", operation_id = "set_project_guardrails",
    params(("project" = String, Path, description = "The project's id or slug."),
        ("If-Match" = Option<String>, Header, description = "The version that was seen; 0 where none were ever set.")),
    request_body = Guardrails, responses((status = 200, body = GuardrailsView, headers(("ETag" = String))), Problems))]
pub(super) async fn set(
    State(app): State<App>,
    Called(caller): Called,
    Path(project): Path<String>,
    IfMatch(version): IfMatch,
    Json(rules): Json<Guardrails>,
) -> Result<Versioned<GuardrailsView>, ApiProblem> {
    let set = app.keystead.set_project_guardrails(&caller, &project, rules, version).await?;
    Ok(Versioned(set.version, set))
}
