//! `DELETE /v1/projects/{project}/service-accounts/{account}`

use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Path;
use crate::state::App;
use crate::version::IfMatch;
use axum::extract::State;
use http::StatusCode;

/// Deletes a service account that owns no key. Needs `accounts.write`.
#[utoipa::path(delete, path = "/v1/projects/{project}/service-accounts/{account}", tag = "principals", operation_id = "delete_service_account",
    params(("project" = String, Path, description = "The project's id or slug."), ("account" = String, Path, description = "The service account's id or name."),
        ("If-Match" = Option<String>, Header, description = "The version that was seen.")),
    responses((status = 204, description = "It is gone."), Problems))]
pub(super) async fn delete(
    State(app): State<App>,
    Called(caller): Called,
    Path((project, account)): Path<(String, String)>,
    IfMatch(version): IfMatch,
) -> Result<StatusCode, ApiProblem> {
    app.keystead.delete_service_account(&caller, &project, &account, version).await?;
    Ok(StatusCode::NO_CONTENT)
}
