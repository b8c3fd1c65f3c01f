//! `GET /v1/projects/{project}/environments`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::{Path, Query};
use crate::state::App;
use axum::extract::State;
use keystead_api::{Environment, Page, PageQuery};

/// A page of a project's environments, newest first. Needs `projects.read`.
#[utoipa::path(get, path = "/v1/projects/{project}/environments", tag = "projects", operation_id = "list_environments",
    params(("project" = String, Path, description = "The project's id or slug."), PageQuery),
    responses((status = 200, body = Page<Environment>), Problems))]
pub(super) async fn list(
    State(app): State<App>,
    Called(caller): Called,
    Path(project): Path<String>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<Environment>>, ApiProblem> {
    Ok(Json(app.keystead.list_environments(&caller, &project, &query).await?))
}
