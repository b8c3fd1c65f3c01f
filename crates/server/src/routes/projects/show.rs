//! `GET /v1/projects/{project}`

use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Path;
use crate::state::App;
use crate::version::Versioned;
use axum::extract::State;
use keystead_api::Project;

/// One project. Needs `projects.read`.
#[utoipa::path(get, path = "/v1/projects/{project}", tag = "projects", operation_id = "show_project",
    params(("project" = String, Path, description = "The project's id or slug.")),
    responses((status = 200, body = Project, headers(("ETag" = String))), Problems))]
pub(super) async fn show(
    State(app): State<App>,
    Called(caller): Called,
    Path(project): Path<String>,
) -> Result<Versioned<Project>, ApiProblem> {
    let found = app.keystead.project(&caller, &project).await?;
    Ok(Versioned(found.version, found))
}
