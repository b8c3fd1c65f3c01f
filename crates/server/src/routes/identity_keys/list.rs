//! `GET /v1/identity-keys`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::state::App;
use axum::extract::State;
use keystead_api::{IdentityKey, Page};

/// The keys that sign identities, in the order in which they do, all in one page. For the operator.
#[utoipa::path(get, path = "/v1/identity-keys", tag = "identity keys", operation_id = "list_identity_keys",
    responses((status = 200, body = Page<IdentityKey>), Problems))]
pub(super) async fn list(
    State(app): State<App>,
    Called(caller): Called,
) -> Result<Json<Page<IdentityKey>>, ApiProblem> {
    Ok(Json(app.keystead.list_identity_keys(&caller).await?))
}
