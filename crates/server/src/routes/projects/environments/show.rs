//! `GET /v1/projects/{project}/environments/{environment}`

use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Path;
use crate::state::App;
use crate::version::Versioned;
use axum::extract::State;
use keystead_api::Environment;

/// One environment of a project. Needs `projects.read`.
#[utoipa::path(get, path = "/v1/projects/{project}/environments/{environment}", tag = "projects", operation_id = "show_environment",
    params(("project" = String, Path, description = "The project's id or slug."), ("environment" = String, Path, description = "The environment's id or slug.")),
    responses((status = 200, body = Environment, headers(("ETag" = String))), Problems))]
pub(super) async fn show(
    State(app): State<App>,
    Called(caller): Called,
    Path((project, environment)): Path<(String, String)>,
) -> Result<Versioned<Environment>, ApiProblem> {
    let found = app.keystead.environment(&caller, &project, &environment).await?;
    Ok(Versioned(found.version, found))
}
