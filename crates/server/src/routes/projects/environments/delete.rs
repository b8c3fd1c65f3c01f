//! `DELETE /v1/projects/{project}/environments/{environment}`

use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Path;
use crate::state::App;
use crate::version::IfMatch;
use axum::extract::State;
use http::StatusCode;

/// Deletes an environment that has no key. Needs `projects.write`.
#[utoipa::path(delete, path = "/v1/projects/{project}/environments/{environment}", tag = "projects", operation_id = "delete_environment",
    params(("project" = String, Path, description = "The project's id or slug."), ("environment" = String, Path, description = "The environment's id or slug."),
        ("If-Match" = Option<String>, Header, description = "The version that was seen.")),
    responses((status = 204, description = "It is gone."), Problems))]
pub(super) async fn delete(
    State(app): State<App>,
    Called(caller): Called,
    Path((project, environment)): Path<(String, String)>,
    IfMatch(version): IfMatch,
) -> Result<StatusCode, ApiProblem> {
    app.keystead.delete_environment(&caller, &project, &environment, version).await?;
    Ok(StatusCode::NO_CONTENT)
}
