//! `POST /v1/account/totp`, `POST /v1/account/totp/confirm`, `DELETE /v1/account/totp`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::state::App;
use axum::extract::State;
use http::StatusCode;
use keystead_api::{OneTimeCode, ProvePassword, RecoveryCodes, TotpSecret};

/// Begins a second factor: the secret for an app that computes one-time codes, shown once. It counts once confirmed.
#[utoipa::path(post, path = "/v1/account/totp", tag = "account", operation_id = "begin_totp", request_body = ProvePassword,
    responses((status = 200, body = TotpSecret), Problems))]
pub(super) async fn begin(
    State(app): State<App>,
    Called(caller): Called,
    Json(input): Json<ProvePassword>,
) -> Result<Json<TotpSecret>, ApiProblem> {
    Ok(Json(app.keystead.begin_totp(&caller, &input).await?))
}

/// Confirms the second factor with its first code; answers ten recovery codes, shown once.
#[utoipa::path(post, path = "/v1/account/totp/confirm", tag = "account", operation_id = "confirm_totp", request_body = OneTimeCode,
    responses((status = 200, body = RecoveryCodes), Problems))]
pub(super) async fn confirm(
    State(app): State<App>,
    Called(caller): Called,
    Json(input): Json<OneTimeCode>,
) -> Result<Json<RecoveryCodes>, ApiProblem> {
    Ok(Json(app.keystead.confirm_totp(&caller, &input).await?))
}

/// Removes one-time codes, and the recovery codes where no passkey is left either. Needs the second factor, proved in the last ten minutes.
#[utoipa::path(delete, path = "/v1/account/totp", tag = "account", operation_id = "remove_totp",
    responses((status = 204), Problems))]
pub(super) async fn remove(State(app): State<App>, Called(caller): Called) -> Result<StatusCode, ApiProblem> {
    app.keystead.remove_totp(&caller).await?;
    Ok(StatusCode::NO_CONTENT)
}
