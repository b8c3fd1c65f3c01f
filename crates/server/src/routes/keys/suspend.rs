//! `POST /v1/keys/{id}/suspend`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Path;
use crate::state::App;
use crate::version::{IfMatch, Versioned};
use axum::extract::State;
use keystead_api::{Key, SuspendKey};

/// Switches a key off until an instant. Needs `keys.revoke`.
#[utoipa::path(post, path = "/v1/keys/{id}/suspend", tag = "keys", operation_id = "suspend_key",
    params(("id" = String, Path, description = "`key_…`"), ("If-Match" = Option<String>, Header, description = "The version that was seen.")),
    request_body = SuspendKey, responses((status = 200, body = Key, headers(("ETag" = String))), Problems))]
pub(super) async fn suspend(
    State(app): State<App>,
    Called(caller): Called,
    Path(id): Path<String>,
    IfMatch(version): IfMatch,
    Json(input): Json<SuspendKey>,
) -> Result<Versioned<Key>, ApiProblem> {
    let key = app.keystead.suspend_key(&caller, &id, input, version).await?;
    Ok(Versioned(key.version, key))
}
