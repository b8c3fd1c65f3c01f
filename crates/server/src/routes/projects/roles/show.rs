//! `GET /v1/projects/{project}/roles/{role}`

use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Path;
use crate::state::App;
use crate::version::Versioned;
use axum::extract::State;
use keystead_api::Role;

/// One role of a project. Needs `catalogue.read`.
#[utoipa::path(get, path = "/v1/projects/{project}/roles/{role}", tag = "catalogue", operation_id = "show_role",
    params(("project" = String, Path, description = "The project's id or slug."), ("role" = String, Path, description = "The role's id or name.")),
    responses((status = 200, body = Role, headers(("ETag" = String))), Problems))]
pub(super) async fn show(
    State(app): State<App>,
    Called(caller): Called,
    Path((project, role)): Path<(String, String)>,
) -> Result<Versioned<Role>, ApiProblem> {
    let found = app.keystead.role(&caller, &project, &role).await?;
    Ok(Versioned(found.version, found))
}
