//! `PATCH /v1/keys/{id}`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Path;
use crate::state::App;
use crate::version::{IfMatch, Versioned};
use axum::extract::State;
use keystead_api::{Key, UpdateKey};

/// Changes any of a key but its secret; it holds from the next request on. Needs `keys.update`.
#[utoipa::path(patch, path = "/v1/keys/{id}", tag = "keys", operation_id = "update_key",
    params(("id" = String, Path, description = "`key_…`"), ("If-Match" = Option<String>, Header, description = "The version that was seen.")),
    request_body = UpdateKey, responses((status = 200, body = Key, headers(("ETag" = String))), Problems))]
pub(super) async fn update(
    State(app): State<App>,
    Called(caller): Called,
    Path(id): Path<String>,
    IfMatch(version): IfMatch,
    Json(input): Json<UpdateKey>,
) -> Result<Versioned<Key>, ApiProblem> {
    let key = app.keystead.update_key(&caller, &id, input, version).await?;
    Ok(Versioned(key.version, key))
}
