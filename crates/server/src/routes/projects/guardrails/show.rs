//! `GET /v1/projects/{project}/guardrails`

use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Path;
use crate::state::App;
use crate::version::Versioned;
use axum::extract::State;
use keystead_api::GuardrailsView;

/// A project's guardrails, and all that holds there. Needs `guardrails.read`.
#[utoipa::path(get, path = "/v1/projects/{project}/guardrails", tag = "guardrails", operation_id = "show_project_guardrails",
    params(("project" = String, Path, description = "The project's id or slug.")),
    responses((status = 200, body = GuardrailsView, headers(("ETag" = String))), Problems))]
pub(super) async fn show(
    State(app): State<App>,
    Called(caller): Called,
    Path(project): Path<String>,
) -> Result<Versioned<GuardrailsView>, ApiProblem> {
    let found = app.keystead.project_guardrails(&caller, &project).await?;
    Ok(Versioned(found.version, found))
}
