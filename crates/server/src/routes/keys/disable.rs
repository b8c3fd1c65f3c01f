//! `POST /v1/keys/{id}/disable`

use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Path;
use crate::state::App;
use crate::version::{IfMatch, Versioned};
use axum::extract::State;
use keystead_api::Key;

/// Switches a key off until it is enabled. Needs `keys.revoke`.
#[utoipa::path(post, path = "/v1/keys/{id}/disable", tag = "keys", operation_id = "disable_key",
    params(("id" = String, Path, description = "`key_…`"), ("If-Match" = Option<String>, Header, description = "The version that was seen.")),
    responses((status = 200, body = Key, headers(("ETag" = String))), Problems))]
pub(super) async fn disable(
    State(app): State<App>,
    Called(caller): Called,
    Path(id): Path<String>,
    IfMatch(version): IfMatch,
) -> Result<Versioned<Key>, ApiProblem> {
    let key = app.keystead.disable_key(&caller, &id, version).await?;
    Ok(Versioned(key.version, key))
}
