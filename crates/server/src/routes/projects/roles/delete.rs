//! `DELETE /v1/projects/{project}/roles/{role}`

use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Path;
use crate::state::App;
use crate::version::IfMatch;
use axum::extract::State;
use http::StatusCode;

/// Deletes a role that no key holds. Needs `catalogue.write`.
#[utoipa::path(delete, path = "/v1/projects/{project}/roles/{role}", tag = "catalogue", operation_id = "delete_role",
    params(("project" = String, Path, description = "The project's id or slug."), ("role" = String, Path, description = "The role's id or name."),
        ("If-Match" = Option<String>, Header, description = "The version that was seen.")),
    responses((status = 204, description = "It is gone."), Problems))]
pub(super) async fn delete(
    State(app): State<App>,
    Called(caller): Called,
    Path((project, role)): Path<(String, String)>,
    IfMatch(version): IfMatch,
) -> Result<StatusCode, ApiProblem> {
    app.keystead.delete_role(&caller, &project, &role, version).await?;
    Ok(StatusCode::NO_CONTENT)
}
