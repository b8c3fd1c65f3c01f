//! `POST /v1/sessions/passkey/finish`

use crate::body::Json;
use crate::credential::Unproven;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::state::App;
use axum::extract::State;
use axum::response::Response;
use keystead_api::{SignInWithPasskey, SignedIn};

/// Signs in with a passkey, which counts as both factors: its user proved to it who they are.
#[utoipa::path(post, path = "/v1/sessions/passkey/finish", tag = "sign-in", operation_id = "create_passkey_session", request_body = SignInWithPasskey,
    security(()),
    responses((status = 201, body = SignedIn, headers(("Location" = String))), Problems))]
pub(super) async fn finish(
    State(app): State<App>,
    Unproven(origin): Unproven,
    Json(input): Json<SignInWithPasskey>,
) -> Result<Response, ApiProblem> {
    let started = app.keystead.sign_in_with_passkey(&input, &origin).await?;
    Ok(super::super::create::answer(&app, started, input.token))
}
