//! `GET /v1/projects/{project}/consumers`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::{Path, Query};
use crate::state::App;
use axum::extract::State;
use keystead_api::{Consumer, Page, PageQuery};

/// A page of a project's consumers, newest first. Needs `consumers.read`.
#[utoipa::path(get, path = "/v1/projects/{project}/consumers", tag = "principals", operation_id = "list_consumers",
    params(("project" = String, Path, description = "The project's id or slug."), PageQuery),
    responses((status = 200, body = Page<Consumer>), Problems))]
pub(super) async fn list(
    State(app): State<App>,
    Called(caller): Called,
    Path(project): Path<String>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<Consumer>>, ApiProblem> {
    Ok(Json(app.keystead.list_consumers(&caller, &project, &query).await?))
}
