//! `PATCH /v1/projects/{project}/service-accounts/{account}`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Path;
use crate::state::App;
use crate::version::{IfMatch, Versioned};
use axum::extract::State;
use keystead_api::{ServiceAccount, UpdateServiceAccount};

/// Changes a service account; its keys follow on their next request. Needs `accounts.write`.
#[utoipa::path(patch, path = "/v1/projects/{project}/service-accounts/{account}", tag = "principals", operation_id = "update_service_account",
    params(("project" = String, Path, description = "The project's id or slug."), ("account" = String, Path, description = "The service account's id or name."),
        ("If-Match" = Option<String>, Header, description = "The version that was seen.")),
    request_body = UpdateServiceAccount, responses((status = 200, body = ServiceAccount, headers(("ETag" = String))), Problems))]
pub(super) async fn update(
    State(app): State<App>,
    Called(caller): Called,
    Path((project, account)): Path<(String, String)>,
    IfMatch(version): IfMatch,
    Json(input): Json<UpdateServiceAccount>,
) -> Result<Versioned<ServiceAccount>, ApiProblem> {
    let changed = app.keystead.update_service_account(&caller, &project, &account, input, version).await?;
    Ok(Versioned(changed.version, changed))
}
