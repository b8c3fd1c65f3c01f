//! `POST /v1/keys/{id}/enable`

use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Path;
use crate::state::App;
use crate::version::{IfMatch, Versioned};
use axum::extract::State;
use keystead_api::Key;

/// Switches a key on, and ends its suspension. Needs `keys.update`.
#[utoipa::path(post, path = "/v1/keys/{id}/enable", tag = "keys", operation_id = "enable_key",
    params(("id" = String, Path, description = "`key_…`"), ("If-Match" = Option<String>, Header, description = "The version that was seen.")),
    responses((status = 200, body = Key, headers(("ETag" = String))), Problems))]
pub(super) async fn enable(
    State(app): State<App>,
    Called(caller): Called,
    Path(id): Path<String>,
    IfMatch(version): IfMatch,
) -> Result<Versioned<Key>, ApiProblem> {
    let key = app.keystead.enable_key(&caller, &id, version).await?;
    Ok(Versioned(key.version, key))
}
