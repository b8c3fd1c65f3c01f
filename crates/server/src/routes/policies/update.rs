//! `PATCH /v1/policies/{policy}`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Path;
use crate::state::App;
use crate::version::{IfMatch, Versioned};
use axum::extract::State;
use keystead_api::{Policy, UpdatePolicy};

/// Changes a policy, or takes it out of force (`enabled`). What it says holds for the next request. Needs
/// `policies.write`.
#[utoipa::path(patch, path = "/v1/policies/{policy}", tag = "policies", operation_id = "update_policy", request_body = UpdatePolicy,
    params(("policy" = String, Path, description = "Its id or name."), ("If-Match" = Option<String>, Header, description = "The version that was seen.")),
    responses((status = 200, body = Policy, headers(("ETag" = String))), Problems))]
pub(super) async fn update(
    State(app): State<App>,
    Called(caller): Called,
    Path(policy): Path<String>,
    IfMatch(version): IfMatch,
    Json(input): Json<UpdatePolicy>,
) -> Result<Versioned<Policy>, ApiProblem> {
    let shown = app.keystead.update_policy(&caller, &policy, input, version).await?;
    Ok(Versioned(shown.version, shown))
}
