//! `GET /v1/audit`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Query;
use crate::state::App;
use axum::extract::State;
use keystead_api::{AuditQuery, AuditRecord, Page};

/// A page of who did what, newest first. Needs `audit.read`.
#[utoipa::path(get, path = "/v1/audit", tag = "audit", operation_id = "list_audit", params(AuditQuery),
    responses((status = 200, body = Page<AuditRecord>), Problems))]
pub(super) async fn audit(
    State(app): State<App>,
    Called(caller): Called,
    Query(query): Query<AuditQuery>,
) -> Result<Json<Page<AuditRecord>>, ApiProblem> {
    Ok(Json(app.keystead.list_audit(&caller, &query).await?))
}
