//! `POST /v1/keys/{id}/rotate`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Path;
use crate::state::App;
use crate::version::{Created, IfMatch};
use axum::extract::State;
use keystead_api::{RotateKey, RotatedKey};

/// Rotates a key: a new one takes over, and the old one lives on for a while. The answer shows the
/// new key, once. Needs `keys.rotate`, and `keys.create` for another expiry.
#[utoipa::path(post, path = "/v1/keys/{id}/rotate", tag = "keys", operation_id = "rotate_key",
    params(("id" = String, Path, description = "`key_…`"), ("If-Match" = Option<String>, Header, description = "The version that was seen.")),
    request_body = RotateKey,
    responses((status = 201, body = RotatedKey, headers(("ETag" = String), ("Location" = String))), Problems))]
pub(super) async fn start(
    State(app): State<App>,
    Called(caller): Called,
    Path(id): Path<String>,
    IfMatch(version): IfMatch,
    Json(input): Json<RotateKey>,
) -> Result<Created<RotatedKey>, ApiProblem> {
    let rotated = app.keystead.rotate_key(&caller, &id, input, version).await?;
    let key = &rotated.created.details;
    Ok(Created { location: format!("/v1/keys/{}", key.id), version: key.version, thing: rotated })
}
