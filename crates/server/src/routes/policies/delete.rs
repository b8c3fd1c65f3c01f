//! `DELETE /v1/policies/{policy}`

use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Path;
use crate::state::App;
use crate::version::IfMatch;
use axum::extract::State;
use http::StatusCode;

/// Deletes a policy: what it forbade is possible again. Needs `policies.write`.
#[utoipa::path(delete, path = "/v1/policies/{policy}", tag = "policies", operation_id = "delete_policy",
    params(("policy" = String, Path, description = "Its id or name."), ("If-Match" = Option<String>, Header, description = "The version that was seen.")),
    responses((status = 204, description = "It is gone."), Problems))]
pub(super) async fn delete(
    State(app): State<App>,
    Called(caller): Called,
    Path(policy): Path<String>,
    IfMatch(version): IfMatch,
) -> Result<StatusCode, ApiProblem> {
    app.keystead.delete_policy(&caller, &policy, version).await?;
    Ok(StatusCode::NO_CONTENT)
}
