//! `GET /v1/projects/{project}/permissions/{permission}`

use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Path;
use crate::state::App;
use crate::version::Versioned;
use axum::extract::State;
use keystead_api::Permission;

/// One permission of a project's catalogue. Needs `catalogue.read`.
#[utoipa::path(get, path = "/v1/projects/{project}/permissions/{permission}", tag = "catalogue", operation_id = "show_permission",
    params(("project" = String, Path, description = "The project's id or slug."), ("permission" = String, Path, description = "The permission's id or name.")),
    responses((status = 200, body = Permission, headers(("ETag" = String))), Problems))]
pub(super) async fn show(
    State(app): State<App>,
    Called(caller): Called,
    Path((project, permission)): Path<(String, String)>,
) -> Result<Versioned<Permission>, ApiProblem> {
    let found = app.keystead.permission(&caller, &project, &permission).await?;
    Ok(Versioned(found.version, found))
}
