//! `GET /v1/audit/checkpoints`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Query;
use crate::state::App;
use axum::extract::State;
use keystead_api::{AuditCheckpoint, Page, PageQuery};

/// What the organization's audit was, signed; newest first. Needs `audit.read`.
///
/// Whoever keeps one elsewhere can show later that a record for which it vouches was changed, moved, inserted
/// or removed. It has the form of C2SP's tlog-checkpoint.
#[utoipa::path(get, path = "/v1/audit/checkpoints", tag = "audit", operation_id = "list_audit_checkpoints",
    params(PageQuery), responses((status = 200, body = Page<AuditCheckpoint>), Problems))]
pub(super) async fn checkpoints(
    State(app): State<App>,
    Called(caller): Called,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<AuditCheckpoint>>, ApiProblem> {
    Ok(Json(app.keystead.list_checkpoints(&caller, &query).await?))
}
