//! `POST /v1/projects/{project}/environments`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Path;
use crate::state::App;
use crate::version::Created;
use axum::extract::State;
use keystead_api::{CreateEnvironment, Environment};

/// Creates an environment of a project. Needs `projects.write`.
#[utoipa::path(post, path = "/v1/projects/{project}/environments", tag = "projects", operation_id = "create_environment",
    params(("project" = String, Path, description = "The project's id or slug.")), request_body = CreateEnvironment,
    responses((status = 201, body = Environment, headers(("ETag" = String), ("Location" = String))), Problems))]
pub(super) async fn create(
    State(app): State<App>,
    Called(caller): Called,
    Path(project): Path<String>,
    Json(input): Json<CreateEnvironment>,
) -> Result<Created<Environment>, ApiProblem> {
    let created = app.keystead.create_environment(&caller, &project, input).await?;
    let location = format!("/v1/projects/{project}/environments/{}", created.id);
    Ok(Created { location, version: created.version, thing: created })
}
