//! `POST /v1/guidelines/accept`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::state::App;
use crate::version::Versioned;
use axum::extract::State;
use keystead_api::{AcceptGuidelines, Guidelines};

/// Notes that the caller has read the current guidelines and accepts them. Needs a session of a person.
#[utoipa::path(post, path = "/v1/guidelines/accept", tag = "guidelines", operation_id = "accept_guidelines",
    request_body = AcceptGuidelines,
    responses((status = 200, body = Guidelines, headers(("ETag" = String))), Problems))]
pub(super) async fn accept(
    State(app): State<App>,
    Called(caller): Called,
    Json(input): Json<AcceptGuidelines>,
) -> Result<Versioned<Guidelines>, ApiProblem> {
    let accepted = app.keystead.accept_guidelines(&caller, &input).await?;
    Ok(Versioned(accepted.version, accepted))
}
