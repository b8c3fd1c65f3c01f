//! `PATCH /v1/projects/{project}`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Path;
use crate::state::App;
use crate::version::{IfMatch, Versioned};
use axum::extract::State;
use keystead_api::{Project, UpdateProject};

/// Changes a project; keys that exist keep their prefix. Needs `projects.write`.
#[utoipa::path(patch, path = "/v1/projects/{project}", tag = "projects", operation_id = "update_project",
    params(("project" = String, Path, description = "The project's id or slug."), ("If-Match" = Option<String>, Header, description = "The version that was seen.")),
    request_body = UpdateProject, responses((status = 200, body = Project, headers(("ETag" = String))), Problems))]
pub(super) async fn update(
    State(app): State<App>,
    Called(caller): Called,
    Path(project): Path<String>,
    IfMatch(version): IfMatch,
    Json(input): Json<UpdateProject>,
) -> Result<Versioned<Project>, ApiProblem> {
    let changed = app.keystead.update_project(&caller, &project, input, version).await?;
    Ok(Versioned(changed.version, changed))
}
