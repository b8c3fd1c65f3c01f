//! `PUT /v1/guidelines`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::state::App;
use crate::version::{IfMatch, Versioned};
use axum::extract::State;
use keystead_api::{Guidelines, PublishGuidelines};

/// Publishes a new version of the guidelines; earlier ones stay to be read. Needs `guidelines.write`.
#[utoipa::path(put, path = "/v1/guidelines", tag = "guidelines", operation_id = "publish_guidelines",
    params(("If-Match" = Option<String>, Header, description = "The version that was seen; 0 where none was published.")),
    request_body = PublishGuidelines,
    responses((status = 200, body = Guidelines, headers(("ETag" = String))), Problems))]
pub(super) async fn publish(
    State(app): State<App>,
    Called(caller): Called,
    IfMatch(version): IfMatch,
    Json(input): Json<PublishGuidelines>,
) -> Result<Versioned<Guidelines>, ApiProblem> {
    let published = app.keystead.publish_guidelines(&caller, input, version).await?;
    Ok(Versioned(published.version, published))
}
