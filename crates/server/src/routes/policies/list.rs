//! `GET /v1/policies`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Query;
use crate::state::App;
use axum::extract::State;
use keystead_api::{Page, Policy, PolicyQuery};

/// The organization's policies, or those for one project, newest first. Needs `policies.read`.
#[utoipa::path(get, path = "/v1/policies", tag = "policies", operation_id = "list_policies", params(PolicyQuery),
    responses((status = 200, body = Page<Policy>), Problems))]
pub(super) async fn list(
    State(app): State<App>,
    Called(caller): Called,
    Query(query): Query<PolicyQuery>,
) -> Result<Json<Page<Policy>>, ApiProblem> {
    Ok(Json(app.keystead.list_policies(&caller, &query).await?))
}
