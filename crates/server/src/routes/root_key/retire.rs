//! `POST /v1/root-key/retire`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::state::App;
use axum::extract::State;
use keystead_api::RootKeyStatus;

/// Lets go of earlier root keys, once nothing is sealed by them. For the operator.
#[utoipa::path(post, path = "/v1/root-key/retire", tag = "root key", operation_id = "retire_root_keys",
    responses((status = 200, body = RootKeyStatus), Problems))]
pub(super) async fn retire(
    State(app): State<App>,
    Called(caller): Called,
) -> Result<Json<RootKeyStatus>, ApiProblem> {
    Ok(Json(app.keystead.retire_root_keys(&caller).await?))
}
