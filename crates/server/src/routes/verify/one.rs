//! `POST /v1/verify`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::state::App;
use axum::extract::State;
use keystead_api::{Verification, Verify};

/// The verdict on one request. A refused key is an answer, not an error. Needs `keys.verify`;
/// `explain` needs `keys.read` too.
#[utoipa::path(post, path = "/v1/verify", tag = "verify", request_body = Verify,
    responses((status = 200, body = Verification), Problems))]
pub(super) async fn verify(
    State(app): State<App>,
    Called(caller): Called,
    Json(input): Json<Verify>,
) -> Result<Json<Verification>, ApiProblem> {
    Ok(Json(app.keystead.verify(&caller, &input).await?))
}
