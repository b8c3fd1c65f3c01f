//! `POST /v1/account/password`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::state::App;
use axum::extract::State;
use http::StatusCode;
use keystead_api::ChangePassword;

/// Changes one's own password; every other session of the account ends. For people who signed in.
#[utoipa::path(post, path = "/v1/account/password", tag = "account", operation_id = "change_password", request_body = ChangePassword,
    responses((status = 204), Problems))]
pub(super) async fn change(
    State(app): State<App>,
    Called(caller): Called,
    Json(input): Json<ChangePassword>,
) -> Result<StatusCode, ApiProblem> {
    app.keystead.change_password(&caller, &input).await?;
    Ok(StatusCode::NO_CONTENT)
}
