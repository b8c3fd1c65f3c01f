//! `POST /v1/projects/{project}/keys/bulk`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Path;
use crate::state::App;
use axum::extract::State;
use keystead_api::{BulkKeys, BulkOutcome};

/// Acts on every key that matches, some keys a call. Needs `keys.read`, and what the action needs.
#[utoipa::path(post, path = "/v1/projects/{project}/keys/bulk", tag = "keys", operation_id = "bulk_keys",
    params(("project" = String, Path, description = "Id or slug.")), request_body = BulkKeys,
    responses((status = 200, body = BulkOutcome), Problems))]
pub(super) async fn bulk(
    State(app): State<App>,
    Called(caller): Called,
    Path(project): Path<String>,
    Json(input): Json<BulkKeys>,
) -> Result<Json<BulkOutcome>, ApiProblem> {
    Ok(Json(app.keystead.bulk_keys(&caller, &project, input).await?))
}
