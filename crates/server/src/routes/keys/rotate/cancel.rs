//! `POST /v1/keys/{id}/rotate/cancel`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Path;
use crate::state::App;
use axum::extract::State;
use keystead_api::KeyRotation;

/// Drops the new key of a rotation, by the id of either of its keys: the old one has its own expiry
/// again. Needs `keys.rotate`.
#[utoipa::path(post, path = "/v1/keys/{id}/rotate/cancel", tag = "keys", operation_id = "cancel_rotation",
    params(("id" = String, Path, description = "`key_…`")),
    responses((status = 200, body = KeyRotation), Problems))]
pub(super) async fn cancel(
    State(app): State<App>,
    Called(caller): Called,
    Path(id): Path<String>,
) -> Result<Json<KeyRotation>, ApiProblem> {
    Ok(Json(app.keystead.cancel_rotation(&caller, &id).await?))
}
