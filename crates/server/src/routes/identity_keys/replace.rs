//! `POST /v1/identity-keys/replace`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::state::App;
use axum::extract::State;
use keystead_api::IdentityKey;

/// Makes a key that signs identities from now on, and publishes no other any more: one may be in wrong hands. For the
/// operator.
#[utoipa::path(post, path = "/v1/identity-keys/replace", tag = "identity keys",
    operation_id = "replace_identity_keys", responses((status = 200, body = IdentityKey), Problems))]
pub(super) async fn replace(
    State(app): State<App>,
    Called(caller): Called,
) -> Result<Json<IdentityKey>, ApiProblem> {
    Ok(Json(app.keystead.replace_identity_keys(&caller).await?))
}
