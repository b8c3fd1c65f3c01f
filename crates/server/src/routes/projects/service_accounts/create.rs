//! `POST /v1/projects/{project}/service-accounts`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Path;
use crate::state::App;
use crate::version::Created;
use axum::extract::State;
use keystead_api::{CreateServiceAccount, ServiceAccount};

/// Creates a service account of a project. Needs `accounts.write`.
#[utoipa::path(post, path = "/v1/projects/{project}/service-accounts", tag = "principals", operation_id = "create_service_account",
    params(("project" = String, Path, description = "The project's id or slug.")), request_body = CreateServiceAccount,
    responses((status = 201, body = ServiceAccount, headers(("ETag" = String), ("Location" = String))), Problems))]
pub(super) async fn create(
    State(app): State<App>,
    Called(caller): Called,
    Path(project): Path<String>,
    Json(input): Json<CreateServiceAccount>,
) -> Result<Created<ServiceAccount>, ApiProblem> {
    let created = app.keystead.create_service_account(&caller, &project, input).await?;
    let location = format!("/v1/projects/{project}/service-accounts/{}", created.id);
    Ok(Created { location, version: created.version, thing: created })
}
