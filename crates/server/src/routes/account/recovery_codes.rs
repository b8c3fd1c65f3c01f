//! `POST /v1/account/recovery-codes`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::state::App;
use axum::extract::State;
use keystead_api::RecoveryCodes;

/// Gives new recovery codes, shown once, in place of those from before. Needs the second factor, proved in the last ten minutes.
#[utoipa::path(post, path = "/v1/account/recovery-codes", tag = "account", operation_id = "renew_recovery_codes",
    responses((status = 200, body = RecoveryCodes), Problems))]
pub(super) async fn renew(
    State(app): State<App>,
    Called(caller): Called,
) -> Result<Json<RecoveryCodes>, ApiProblem> {
    Ok(Json(app.keystead.renew_recovery_codes(&caller).await?))
}
