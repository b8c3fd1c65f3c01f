//! `POST /v1/keys/mint`

use crate::body::Json;
use crate::credential::Holding;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::state::App;
use crate::version::Created;
use axum::extract::State;
use keystead_api::{CreatedKey, MintKey};

/// Mints a temporary key from the key that calls: any issued key whose `may_mint` is true. The answer
/// shows it, once. It never has more rights, a longer life or wider networks than its parent.
#[utoipa::path(post, path = "/v1/keys/mint", tag = "keys", operation_id = "mint_key", request_body = MintKey,
    responses((status = 201, body = CreatedKey, headers(("ETag" = String), ("Location" = String))), Problems))]
pub(super) async fn mint(
    State(app): State<App>,
    Holding(parent): Holding,
    Json(input): Json<MintKey>,
) -> Result<Created<CreatedKey>, ApiProblem> {
    let key = app.keystead.mint_key(&parent, input).await?;
    Ok(Created { location: format!("/v1/keys/{}", key.details.id), version: key.details.version, thing: key })
}
