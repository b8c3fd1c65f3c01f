//! `POST /v1/projects`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::state::App;
use crate::version::Created;
use axum::extract::State;
use keystead_api::{CreateProject, Project};

/// Creates a project. Needs `projects.write` on the organization.
#[utoipa::path(post, path = "/v1/projects", tag = "projects", operation_id = "create_project",
    request_body = CreateProject,
    responses((status = 201, body = Project, headers(("ETag" = String), ("Location" = String))), Problems))]
pub(super) async fn create(
    State(app): State<App>,
    Called(caller): Called,
    Json(input): Json<CreateProject>,
) -> Result<Created<Project>, ApiProblem> {
    let created = app.keystead.create_project(&caller, input).await?;
    let location = format!("/v1/projects/{}", created.id);
    Ok(Created { location, version: created.version, thing: created })
}
