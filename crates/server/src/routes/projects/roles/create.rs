//! `POST /v1/projects/{project}/roles`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Path;
use crate::state::App;
use crate::version::Created;
use axum::extract::State;
use keystead_api::{CreateRole, Role};

/// Creates a role of a project. Needs `catalogue.write`.
#[utoipa::path(post, path = "/v1/projects/{project}/roles", tag = "catalogue", operation_id = "create_role",
    params(("project" = String, Path, description = "The project's id or slug.")), request_body = CreateRole,
    responses((status = 201, body = Role, headers(("ETag" = String), ("Location" = String))), Problems))]
pub(super) async fn create(
    State(app): State<App>,
    Called(caller): Called,
    Path(project): Path<String>,
    Json(input): Json<CreateRole>,
) -> Result<Created<Role>, ApiProblem> {
    let created = app.keystead.create_role(&caller, &project, input).await?;
    let location = format!("/v1/projects/{project}/roles/{}", created.id);
    Ok(Created { location, version: created.version, thing: created })
}
