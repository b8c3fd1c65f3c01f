//! `POST /v1/projects/{project}/keys`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Path;
use crate::state::App;
use crate::version::Created;
use axum::extract::State;
use keystead_api::{CreateKey, CreatedKey};

/// Issues a key. The answer shows it, once. Needs `keys.create`.
#[utoipa::path(post, path = "/v1/projects/{project}/keys", tag = "keys", operation_id = "create_key",
    params(("project" = String, Path, description = "Id or slug.")), request_body = CreateKey,
    responses((status = 201, body = CreatedKey, headers(("ETag" = String), ("Location" = String))), Problems))]
pub(super) async fn create(
    State(app): State<App>,
    Called(caller): Called,
    Path(project): Path<String>,
    Json(input): Json<CreateKey>,
) -> Result<Created<CreatedKey>, ApiProblem> {
    let key = app.keystead.create_key(&caller, &project, input).await?;
    Ok(Created { location: format!("/v1/keys/{}", key.details.id), version: key.details.version, thing: key })
}
