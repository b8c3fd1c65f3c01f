//! `POST /v1/account/recovery`, `POST /v1/account/recovery/confirm`

use crate::body::Json;
use crate::credential::Unproven;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::state::App;
use axum::extract::State;
use http::StatusCode;
use keystead_api::{RecoverAccount, RequestRecovery};

/// Has a link to set another password mailed to an account's address. The answer does not tell whether there is one.
#[utoipa::path(post, path = "/v1/account/recovery", tag = "sign-in", operation_id = "request_recovery", request_body = RequestRecovery,
    security(()),
    responses((status = 202), Problems))]
pub(super) async fn request(
    State(app): State<App>,
    Unproven(origin): Unproven,
    Json(input): Json<RequestRecovery>,
) -> Result<StatusCode, ApiProblem> {
    app.keystead.request_recovery(&input, &origin)?;
    Ok(StatusCode::ACCEPTED)
}

/// Sets another password by a link that was mailed; every session of the account ends.
#[utoipa::path(post, path = "/v1/account/recovery/confirm", tag = "sign-in", operation_id = "recover_account", request_body = RecoverAccount,
    security(()),
    responses((status = 204), Problems))]
pub(super) async fn confirm(
    State(app): State<App>,
    Unproven(origin): Unproven,
    Json(input): Json<RecoverAccount>,
) -> Result<StatusCode, ApiProblem> {
    app.keystead.recover_account(&input, &origin).await?;
    Ok(StatusCode::NO_CONTENT)
}
