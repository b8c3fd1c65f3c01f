//! `POST /v1/keys/{id}/rotate/complete`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Path;
use crate::state::App;
use axum::extract::State;
use keystead_api::KeyRotation;

/// Ends the old key of a rotation now, by the id of either of its keys. Needs `keys.rotate`.
#[utoipa::path(post, path = "/v1/keys/{id}/rotate/complete", tag = "keys", operation_id = "complete_rotation",
    params(("id" = String, Path, description = "`key_…`")),
    responses((status = 200, body = KeyRotation), Problems))]
pub(super) async fn complete(
    State(app): State<App>,
    Called(caller): Called,
    Path(id): Path<String>,
) -> Result<Json<KeyRotation>, ApiProblem> {
    Ok(Json(app.keystead.complete_rotation(&caller, &id).await?))
}
