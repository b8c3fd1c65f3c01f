//! `POST /v1/keys/{id}/reveal`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Path;
use crate::state::App;
use axum::extract::State;
use keystead_api::RevealedKey;

/// Reads a public key again, and records who did. Keys of other kinds are shown once. Needs `keys.read`.
#[utoipa::path(post, path = "/v1/keys/{id}/reveal", tag = "keys", operation_id = "reveal_key",
    params(("id" = String, Path, description = "`key_…`")), responses((status = 200, body = RevealedKey), Problems))]
pub(super) async fn reveal(
    State(app): State<App>,
    Called(caller): Called,
    Path(id): Path<String>,
) -> Result<Json<RevealedKey>, ApiProblem> {
    Ok(Json(app.keystead.reveal_key(&caller, &id).await?))
}
