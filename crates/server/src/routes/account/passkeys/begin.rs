//! `POST /v1/account/passkeys/begin`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::state::App;
use axum::extract::State;
use keystead_api::{BeginPasskey, BegunPasskey};

/// Begins adding a passkey: what to ask the browser, on the page that is answered. Needs the second factor, proved in the
/// last ten minutes; where there is none yet, the password.
#[utoipa::path(post, path = "/v1/account/passkeys/begin", tag = "account", operation_id = "begin_passkey", request_body = BeginPasskey,
    responses((status = 200, body = BegunPasskey), Problems))]
pub(super) async fn begin(
    State(app): State<App>,
    Called(caller): Called,
    Json(input): Json<BeginPasskey>,
) -> Result<Json<BegunPasskey>, ApiProblem> {
    Ok(Json(app.keystead.begin_passkey(&caller, &input).await?))
}
