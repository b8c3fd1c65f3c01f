//! `POST /v1/projects/{project}/permissions`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Path;
use crate::state::App;
use crate::version::Created;
use axum::extract::State;
use keystead_api::{CreatePermission, Permission};

/// Adds a permission to a project's catalogue. Needs `catalogue.write`.
#[utoipa::path(post, path = "/v1/projects/{project}/permissions", tag = "catalogue", operation_id = "create_permission",
    params(("project" = String, Path, description = "The project's id or slug.")), request_body = CreatePermission,
    responses((status = 201, body = Permission, headers(("ETag" = String), ("Location" = String))), Problems))]
pub(super) async fn create(
    State(app): State<App>,
    Called(caller): Called,
    Path(project): Path<String>,
    Json(input): Json<CreatePermission>,
) -> Result<Created<Permission>, ApiProblem> {
    let created = app.keystead.create_permission(&caller, &project, input).await?;
    let location = format!("/v1/projects/{project}/permissions/{}", created.id);
    Ok(Created { location, version: created.version, thing: created })
}
