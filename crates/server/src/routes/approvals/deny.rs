//! `POST /v1/approvals/{approval}/deny`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Path;
use crate::state::App;
use crate::version::Versioned;
use axum::extract::State;
use keystead_api::{Approval, DecideApproval};

/// Denies what another person asked for, with a comment. For people who signed in and have `approvals.decide`.
#[utoipa::path(post, path = "/v1/approvals/{approval}/deny", tag = "approvals", operation_id = "deny_approval",
    params(("approval" = String, Path, description = "`apr_…`")), request_body = DecideApproval,
    responses((status = 200, body = Approval, headers(("ETag" = String))), Problems))]
pub(super) async fn deny(
    State(app): State<App>,
    Called(caller): Called,
    Path(id): Path<String>,
    Json(input): Json<DecideApproval>,
) -> Result<Versioned<Approval>, ApiProblem> {
    let decided = app.keystead.deny(&caller, &id, input).await?;
    Ok(Versioned(decided.version, decided))
}
