//! `POST /v1/root-key/rotate`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::state::App;
use axum::extract::State;
use keystead_api::RootKeyStatus;

/// Makes another root key the current one; what the old one sealed is sealed anew in the background. For the operator.
#[utoipa::path(post, path = "/v1/root-key/rotate", tag = "root key", operation_id = "rotate_root_key",
    responses((status = 200, body = RootKeyStatus), Problems))]
pub(super) async fn rotate(
    State(app): State<App>,
    Called(caller): Called,
) -> Result<Json<RootKeyStatus>, ApiProblem> {
    Ok(Json(app.keystead.rotate_root_key(&caller).await?))
}
