//! `POST /v1/sessions/current/second-factor/passkey`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::state::App;
use axum::extract::State;
use keystead_api::BegunPasskey;

/// Begins proving the second factor again with a passkey: what to ask the browser, on the page that is answered. For
/// people who signed in.
#[utoipa::path(post, path = "/v1/sessions/current/second-factor/passkey", tag = "account", operation_id = "begin_passkey_step_up",
    responses((status = 200, body = BegunPasskey), Problems))]
pub(super) async fn begin(
    State(app): State<App>,
    Called(caller): Called,
) -> Result<Json<BegunPasskey>, ApiProblem> {
    Ok(Json(app.keystead.begin_passkey_step_up(&caller).await?))
}
