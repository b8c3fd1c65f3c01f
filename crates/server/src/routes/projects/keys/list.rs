//! `GET /v1/projects/{project}/keys`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::{Path, Query};
use crate::state::App;
use axum::extract::State;
use keystead_api::{Key, KeyQuery, Page};

/// A page of a project's keys, newest first. Needs `keys.read`.
#[utoipa::path(get, path = "/v1/projects/{project}/keys", tag = "keys", operation_id = "list_keys",
    params(("project" = String, Path, description = "Id or slug."), KeyQuery),
    responses((status = 200, body = Page<Key>), Problems))]
pub(super) async fn list(
    State(app): State<App>,
    Called(caller): Called,
    Path(project): Path<String>,
    Query(query): Query<KeyQuery>,
) -> Result<Json<Page<Key>>, ApiProblem> {
    Ok(Json(app.keystead.find_keys(&caller, &project, &query).await?))
}
