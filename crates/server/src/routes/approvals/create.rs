//! `POST /v1/approvals`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::state::App;
use crate::version::Created;
use axum::extract::State;
use keystead_api::{Approval, CreateApproval};

/// Asks for another person's approval of what a guardrail lets nobody do alone. For people who signed in, with
/// the rights that it takes otherwise; within seven days somebody decides.
#[utoipa::path(post, path = "/v1/approvals", tag = "approvals", operation_id = "create_approval",
    request_body = CreateApproval,
    responses((status = 201, body = Approval, headers(("ETag" = String), ("Location" = String))), Problems))]
pub(super) async fn create(
    State(app): State<App>,
    Called(caller): Called,
    Json(input): Json<CreateApproval>,
) -> Result<Created<Approval>, ApiProblem> {
    let asked = app.keystead.request_approval(&caller, input).await?;
    Ok(Created { location: format!("/v1/approvals/{}", asked.id), version: asked.version, thing: asked })
}
