//! `GET /v1/projects/{project}/permissions`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::{Path, Query};
use crate::state::App;
use axum::extract::State;
use keystead_api::{Page, PageQuery, Permission};

/// A page of a project's permission catalogue. Needs `catalogue.read`.
#[utoipa::path(get, path = "/v1/projects/{project}/permissions", tag = "catalogue", operation_id = "list_permissions",
    params(("project" = String, Path, description = "The project's id or slug."), PageQuery),
    responses((status = 200, body = Page<Permission>), Problems))]
pub(super) async fn list(
    State(app): State<App>,
    Called(caller): Called,
    Path(project): Path<String>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<Permission>>, ApiProblem> {
    Ok(Json(app.keystead.list_permissions(&caller, &project, &query).await?))
}
