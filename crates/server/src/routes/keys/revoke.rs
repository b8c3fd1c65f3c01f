//! `POST /v1/keys/{id}/revoke`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Path;
use crate::state::App;
use crate::version::{IfMatch, Versioned};
use axum::extract::State;
use keystead_api::{Key, RevokeKey};

/// Ends a key for good: it stays visible among the inactive ones and cannot come back. Needs `keys.revoke`.
#[utoipa::path(post, path = "/v1/keys/{id}/revoke", tag = "keys", operation_id = "revoke_key",
    params(("id" = String, Path, description = "`key_…`"), ("If-Match" = Option<String>, Header, description = "The version that was seen.")),
    request_body = RevokeKey, responses((status = 200, body = Key, headers(("ETag" = String))), Problems))]
pub(super) async fn revoke(
    State(app): State<App>,
    Called(caller): Called,
    Path(id): Path<String>,
    IfMatch(version): IfMatch,
    Json(input): Json<RevokeKey>,
) -> Result<Versioned<Key>, ApiProblem> {
    let key = app.keystead.revoke_key(&caller, &id, input, version).await?;
    Ok(Versioned(key.version, key))
}
