//! `GET /v1/policies/{policy}`

use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Path;
use crate::state::App;
use crate::version::Versioned;
use axum::extract::State;
use keystead_api::Policy;

/// A policy. Needs `policies.read`.
#[utoipa::path(get, path = "/v1/policies/{policy}", tag = "policies", operation_id = "show_policy",
    params(("policy" = String, Path, description = "Its id or name.")),
    responses((status = 200, body = Policy, headers(("ETag" = String))), Problems))]
pub(super) async fn show(
    State(app): State<App>,
    Called(caller): Called,
    Path(policy): Path<String>,
) -> Result<Versioned<Policy>, ApiProblem> {
    let shown = app.keystead.policy(&caller, &policy).await?;
    Ok(Versioned(shown.version, shown))
}
