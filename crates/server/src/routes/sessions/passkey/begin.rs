//! `POST /v1/sessions/passkey/begin`

use crate::body::Json;
use crate::credential::Unproven;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::state::App;
use axum::extract::State;
use keystead_api::BegunPasskey;

/// Begins signing in with a passkey, alone or beside a password: what to ask the browser, on the page that is answered. It
/// is the same for everybody, and names nobody.
#[utoipa::path(post, path = "/v1/sessions/passkey/begin", tag = "sign-in", operation_id = "begin_passkey_session",
    security(()),
    responses((status = 200, body = BegunPasskey), Problems))]
pub(super) async fn begin(
    State(app): State<App>,
    Unproven(origin): Unproven,
) -> Result<Json<BegunPasskey>, ApiProblem> {
    Ok(Json(app.keystead.begin_passkey_sign_in(&origin).await?))
}
