//! `GET /v1/approvals/{approval}`

use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Path;
use crate::state::App;
use crate::version::Versioned;
use axum::extract::State;
use keystead_api::Approval;

/// A request for an approval, and what became of it. Needs `approvals.read`, or to have asked for it.
#[utoipa::path(get, path = "/v1/approvals/{approval}", tag = "approvals", operation_id = "get_approval",
    params(("approval" = String, Path, description = "`apr_…`")),
    responses((status = 200, body = Approval, headers(("ETag" = String))), Problems))]
pub(super) async fn show(
    State(app): State<App>,
    Called(caller): Called,
    Path(id): Path<String>,
) -> Result<Versioned<Approval>, ApiProblem> {
    let approval = app.keystead.approval(&caller, &id).await?;
    Ok(Versioned(approval.version, approval))
}
