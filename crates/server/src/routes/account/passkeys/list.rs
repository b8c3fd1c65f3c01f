//! `GET /v1/account/passkeys`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::state::App;
use axum::extract::State;
use keystead_api::{Page, Passkey};

/// One's own passkeys, newest first; at most ten. For people who signed in.
#[utoipa::path(get, path = "/v1/account/passkeys", tag = "account", operation_id = "list_passkeys",
    responses((status = 200, body = Page<Passkey>), Problems))]
pub(super) async fn list(
    State(app): State<App>,
    Called(caller): Called,
) -> Result<Json<Page<Passkey>>, ApiProblem> {
    Ok(Json(app.keystead.list_passkeys(&caller).await?))
}
