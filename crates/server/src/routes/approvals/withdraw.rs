//! `POST /v1/approvals/{approval}/withdraw`

use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Path;
use crate::state::App;
use crate::version::Versioned;
use axum::extract::State;
use keystead_api::Approval;

/// Takes back what one asked for, whether it was approved or not.
#[utoipa::path(post, path = "/v1/approvals/{approval}/withdraw", tag = "approvals", operation_id = "withdraw_approval",
    params(("approval" = String, Path, description = "`apr_…`")),
    responses((status = 200, body = Approval, headers(("ETag" = String))), Problems))]
pub(super) async fn withdraw(
    State(app): State<App>,
    Called(caller): Called,
    Path(id): Path<String>,
) -> Result<Versioned<Approval>, ApiProblem> {
    let withdrawn = app.keystead.withdraw_approval(&caller, &id).await?;
    Ok(Versioned(withdrawn.version, withdrawn))
}
