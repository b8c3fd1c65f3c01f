//! `DELETE /v1/projects/{project}/permissions/{permission}`

use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Path;
use crate::state::App;
use crate::version::IfMatch;
use axum::extract::State;
use http::StatusCode;

/// Deletes a permission that no key and no role names. Needs `catalogue.write`.
#[utoipa::path(delete, path = "/v1/projects/{project}/permissions/{permission}", tag = "catalogue", operation_id = "delete_permission",
    params(("project" = String, Path, description = "The project's id or slug."), ("permission" = String, Path, description = "The permission's id or name."),
        ("If-Match" = Option<String>, Header, description = "The version that was seen.")),
    responses((status = 204, description = "It is gone."), Problems))]
pub(super) async fn delete(
    State(app): State<App>,
    Called(caller): Called,
    Path((project, permission)): Path<(String, String)>,
    IfMatch(version): IfMatch,
) -> Result<StatusCode, ApiProblem> {
    app.keystead.delete_permission(&caller, &project, &permission, version).await?;
    Ok(StatusCode::NO_CONTENT)
}
