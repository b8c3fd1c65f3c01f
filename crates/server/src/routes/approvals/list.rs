//! `GET /v1/approvals`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Query;
use crate::state::App;
use axum::extract::State;
use keystead_api::{Approval, ApprovalQuery, Page};

/// A page of requests for approvals, newest first: all with `approvals.read`, else those that the caller asked
/// for.
#[utoipa::path(get, path = "/v1/approvals", tag = "approvals", operation_id = "list_approvals",
    params(ApprovalQuery), responses((status = 200, body = Page<Approval>), Problems))]
pub(super) async fn list(
    State(app): State<App>,
    Called(caller): Called,
    Query(query): Query<ApprovalQuery>,
) -> Result<Json<Page<Approval>>, ApiProblem> {
    Ok(Json(app.keystead.list_approvals(&caller, &query).await?))
}
