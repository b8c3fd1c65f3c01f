//! `DELETE /v1/keys/{id}`

use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Path;
use crate::state::App;
use crate::version::IfMatch;
use axum::extract::State;
use http::StatusCode;

/// Purges a revoked key; the audit stays. Needs `keys.delete`.
#[utoipa::path(delete, path = "/v1/keys/{id}", tag = "keys", operation_id = "delete_key",
    params(("id" = String, Path, description = "`key_…`"), ("If-Match" = Option<String>, Header, description = "The version that was seen.")),
    responses((status = 204), Problems))]
pub(super) async fn delete(
    State(app): State<App>,
    Called(caller): Called,
    Path(id): Path<String>,
    IfMatch(version): IfMatch,
) -> Result<StatusCode, ApiProblem> {
    app.keystead.delete_key(&caller, &id, version).await?;
    Ok(StatusCode::NO_CONTENT)
}
