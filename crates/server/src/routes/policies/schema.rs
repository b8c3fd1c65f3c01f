//! `GET /v1/policies/schema`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::state::App;
use axum::extract::State;
use keystead_api::PolicySchema;

/// What policies may speak about, as a Cedar schema. For everybody who can call.
#[utoipa::path(get, path = "/v1/policies/schema", tag = "policies", operation_id = "show_policy_schema",
    responses((status = 200, body = PolicySchema), Problems))]
pub(super) async fn schema(
    State(app): State<App>,
    Called(caller): Called,
) -> Result<Json<PolicySchema>, ApiProblem> {
    Ok(Json(app.keystead.policy_schema(&caller).await?))
}
