//! `POST /v1/projects/{project}/keys/import`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Path;
use crate::state::App;
use axum::extract::State;
use keystead_api::{ImportKeys, ImportedKeys};

/// Imports keys that exist elsewhere, each taken or refused by itself. Needs `keys.create`.
#[utoipa::path(post, path = "/v1/projects/{project}/keys/import", tag = "keys", operation_id = "import_keys",
    params(("project" = String, Path, description = "Id or slug.")), request_body = ImportKeys,
    responses((status = 200, body = ImportedKeys), Problems))]
pub(super) async fn import(
    State(app): State<App>,
    Called(caller): Called,
    Path(project): Path<String>,
    Json(input): Json<ImportKeys>,
) -> Result<Json<ImportedKeys>, ApiProblem> {
    Ok(Json(app.keystead.import_keys(&caller, &project, input).await?))
}
