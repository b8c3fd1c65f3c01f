//! `GET /v1/projects/{project}/keys/counts`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::{Path, Query};
use crate::state::App;
use axum::extract::State;
use keystead_api::{KeyCounts, KeyQuery};

/// How many of a project's keys match, by status. Needs `keys.read`.
#[utoipa::path(get, path = "/v1/projects/{project}/keys/counts", tag = "keys", operation_id = "count_keys",
    params(("project" = String, Path, description = "Id or slug."), KeyQuery),
    responses((status = 200, body = KeyCounts), Problems))]
pub(super) async fn counts(
    State(app): State<App>,
    Called(caller): Called,
    Path(project): Path<String>,
    Query(query): Query<KeyQuery>,
) -> Result<Json<KeyCounts>, ApiProblem> {
    Ok(Json(app.keystead.count_keys(&caller, &project, &query).await?))
}
