//! `GET /v1/projects/{project}/roles`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::{Path, Query};
use crate::state::App;
use axum::extract::State;
use keystead_api::{Page, PageQuery, Role};

/// A page of a project's roles, newest first. Needs `catalogue.read`.
#[utoipa::path(get, path = "/v1/projects/{project}/roles", tag = "catalogue", operation_id = "list_roles",
    params(("project" = String, Path, description = "The project's id or slug."), PageQuery),
    responses((status = 200, body = Page<Role>), Problems))]
pub(super) async fn list(
    State(app): State<App>,
    Called(caller): Called,
    Path(project): Path<String>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<Role>>, ApiProblem> {
    Ok(Json(app.keystead.list_roles(&caller, &project, &query).await?))
}
