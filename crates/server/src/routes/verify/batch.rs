//! `POST /v1/verify/batch`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::state::App;
use axum::extract::State;
use keystead_api::{VerifiedBatch, VerifyBatch};

/// The verdicts on up to 1,000 requests, each on its own, in order. Needs `keys.verify` for each.
#[utoipa::path(post, path = "/v1/verify/batch", tag = "verify", request_body = VerifyBatch,
    responses((status = 200, body = VerifiedBatch), Problems))]
pub(super) async fn verify_batch(
    State(app): State<App>,
    Called(caller): Called,
    Json(input): Json<VerifyBatch>,
) -> Result<Json<VerifiedBatch>, ApiProblem> {
    let items = app.keystead.verify_batch(&caller, &input.items).await?;
    Ok(Json(VerifiedBatch { items }))
}
