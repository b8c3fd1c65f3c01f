//! `GET /v1/root-key`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::state::App;
use axum::extract::State;
use keystead_api::RootKeyStatus;

/// Which root keys there are, and how much each has sealed. For the operator.
#[utoipa::path(get, path = "/v1/root-key", tag = "root key", operation_id = "show_root_key",
    responses((status = 200, body = RootKeyStatus), Problems))]
pub(super) async fn show(
    State(app): State<App>,
    Called(caller): Called,
) -> Result<Json<RootKeyStatus>, ApiProblem> {
    Ok(Json(app.keystead.root_key_status(&caller).await?))
}
