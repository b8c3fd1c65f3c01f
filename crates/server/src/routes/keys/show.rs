//! `GET /v1/keys/{id}`

use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Path;
use crate::state::App;
use crate::version::Versioned;
use axum::extract::State;
use keystead_api::KeyDetails;

/// A key, with all that can be said of it but its secret. Needs `keys.read`.
#[utoipa::path(get, path = "/v1/keys/{id}", tag = "keys", operation_id = "show_key", params(("id" = String, Path, description = "`key_…`")),
    responses((status = 200, body = KeyDetails, headers(("ETag" = String))), Problems))]
pub(super) async fn show(
    State(app): State<App>,
    Called(caller): Called,
    Path(id): Path<String>,
) -> Result<Versioned<KeyDetails>, ApiProblem> {
    let details = app.keystead.show_key(&caller, &id).await?;
    Ok(Versioned(details.key.version, details))
}
