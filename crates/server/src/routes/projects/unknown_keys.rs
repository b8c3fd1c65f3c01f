//! `GET /v1/projects/{project}/unknown-keys`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::{Path, Query};
use crate::state::App;
use axum::extract::State;
use keystead_api::{Page, PageQuery, UnknownKeyAttempts};

/// Refusals of keys that nobody issued: what a search for keys looks like. Needs `keys.read`.
#[utoipa::path(get, path = "/v1/projects/{project}/unknown-keys", tag = "keys", operation_id = "list_unknown_keys",
    params(("project" = String, Path, description = "The project's id or slug."), PageQuery),
    responses((status = 200, body = Page<UnknownKeyAttempts>), Problems))]
pub(super) async fn unknown_keys(
    State(app): State<App>,
    Called(caller): Called,
    Path(project): Path<String>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<UnknownKeyAttempts>>, ApiProblem> {
    Ok(Json(app.keystead.unknown_keys(&caller, &project, &query).await?))
}
