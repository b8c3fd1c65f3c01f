//! `POST /v1/projects/{project}/keys/batch`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Path;
use crate::state::App;
use axum::extract::State;
use keystead_api::{CreateKeys, CreatedKeys};

/// Issues up to 1,000 keys, all or none. The answer shows them, once. Needs `keys.create`.
#[utoipa::path(post, path = "/v1/projects/{project}/keys/batch", tag = "keys", operation_id = "batch_create_keys",
    params(("project" = String, Path, description = "Id or slug.")), request_body = CreateKeys,
    responses((status = 200, body = CreatedKeys), Problems))]
pub(super) async fn batch(
    State(app): State<App>,
    Called(caller): Called,
    Path(project): Path<String>,
    Json(input): Json<CreateKeys>,
) -> Result<Json<CreatedKeys>, ApiProblem> {
    Ok(Json(app.keystead.create_keys(&caller, &project, input).await?))
}
