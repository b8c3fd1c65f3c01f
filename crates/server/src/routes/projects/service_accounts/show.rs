//! `GET /v1/projects/{project}/service-accounts/{account}`

use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Path;
use crate::state::App;
use crate::version::Versioned;
use axum::extract::State;
use keystead_api::ServiceAccount;

/// One service account of a project. Needs `accounts.read`.
#[utoipa::path(get, path = "/v1/projects/{project}/service-accounts/{account}", tag = "principals", operation_id = "show_service_account",
    params(("project" = String, Path, description = "The project's id or slug."), ("account" = String, Path, description = "The service account's id or name.")),
    responses((status = 200, body = ServiceAccount, headers(("ETag" = String))), Problems))]
pub(super) async fn show(
    State(app): State<App>,
    Called(caller): Called,
    Path((project, account)): Path<(String, String)>,
) -> Result<Versioned<ServiceAccount>, ApiProblem> {
    let found = app.keystead.service_account(&caller, &project, &account).await?;
    Ok(Versioned(found.version, found))
}
