//! `GET /v1/projects/{project}/notices`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::{Path, Query};
use crate::state::App;
use axum::extract::State;
use keystead_api::{Notice, Page, PageQuery};

/// What people are told about the rotation of a project's keys, and what became of it, newest first. Needs
/// `keys.read` and `consumers.read`.
#[utoipa::path(get, path = "/v1/projects/{project}/notices", tag = "keys", operation_id = "list_notices",
    params(("project" = String, Path, description = "The project's id or slug."), PageQuery),
    responses((status = 200, body = Page<Notice>), Problems))]
pub(super) async fn list(
    State(app): State<App>,
    Called(caller): Called,
    Path(project): Path<String>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<Notice>>, ApiProblem> {
    Ok(Json(app.keystead.list_notices(&caller, &project, &query).await?))
}
