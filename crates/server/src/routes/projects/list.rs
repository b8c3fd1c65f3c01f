//! `GET /v1/projects`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Query;
use crate::state::App;
use axum::extract::State;
use keystead_api::{Page, PageQuery, Project};

/// A page of the projects that the caller may see, newest first. Needs `projects.read`.
#[utoipa::path(get, path = "/v1/projects", tag = "projects", operation_id = "list_projects", params(PageQuery),
    responses((status = 200, body = Page<Project>), Problems))]
pub(super) async fn list(
    State(app): State<App>,
    Called(caller): Called,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<Project>>, ApiProblem> {
    Ok(Json(app.keystead.list_projects(&caller, &query).await?))
}
