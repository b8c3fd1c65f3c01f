//! `POST /v1/approvals/{approval}/approve`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Path;
use crate::state::App;
use crate::version::Versioned;
use axum::extract::State;
use keystead_api::{Approval, DecideApproval};

/// Approves what another person asked for: they may redeem it for a day. For people who signed in, who have
/// `approvals.decide` and could do it themselves; asks for the second factor again where there is one.
#[utoipa::path(post, path = "/v1/approvals/{approval}/approve", tag = "approvals", operation_id = "approve_approval",
    params(("approval" = String, Path, description = "`apr_…`")), request_body = DecideApproval,
    responses((status = 200, body = Approval, headers(("ETag" = String))), Problems))]
pub(super) async fn approve(
    State(app): State<App>,
    Called(caller): Called,
    Path(id): Path<String>,
    Json(input): Json<DecideApproval>,
) -> Result<Versioned<Approval>, ApiProblem> {
    let decided = app.keystead.approve(&caller, &id, input).await?;
    Ok(Versioned(decided.version, decided))
}
