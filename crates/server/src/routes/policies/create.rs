//! `POST /v1/policies`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::state::App;
use crate::version::Created;
use axum::extract::State;
use keystead_api::{CreatePolicy, Policy};

/// Writes a policy in Cedar: 1 to 16 `forbid`s, held strictly against `GET /v1/policies/schema`; what is wrong is told
/// with line and column. In force, it holds for the next request. Needs `policies.write`, in the project or, for the
/// whole organization, there.
#[utoipa::path(post, path = "/v1/policies", tag = "policies", operation_id = "create_policy", request_body = CreatePolicy,
    responses((status = 201, body = Policy, headers(("ETag" = String), ("Location" = String))), Problems))]
pub(super) async fn create(
    State(app): State<App>,
    Called(caller): Called,
    Json(input): Json<CreatePolicy>,
) -> Result<Created<Policy>, ApiProblem> {
    let created = app.keystead.create_policy(&caller, input).await?;
    let location = format!("/v1/policies/{}", created.id);
    Ok(Created { location, version: created.version, thing: created })
}
