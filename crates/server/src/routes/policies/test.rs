//! `POST /v1/policies/test`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::state::App;
use axum::extract::State;
use keystead_api::{PolicyTestResult, TestPolicies};

/// Says what policies make of up to 100 described requests: those in force, and a text in place of a saved one or
/// beside them. Changes nothing, takes nothing. Needs `policies.read`, and `keys.read` for a key that a case names.
#[utoipa::path(post, path = "/v1/policies/test", tag = "policies", operation_id = "test_policies", request_body = TestPolicies,
    responses((status = 200, body = PolicyTestResult), Problems))]
pub(super) async fn test(
    State(app): State<App>,
    Called(caller): Called,
    Json(input): Json<TestPolicies>,
) -> Result<Json<PolicyTestResult>, ApiProblem> {
    Ok(Json(app.keystead.test_policies(&caller, input).await?))
}
