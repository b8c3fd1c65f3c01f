//! `GET /v1/projects/{project}/service-accounts`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::{Path, Query};
use crate::state::App;
use axum::extract::State;
use keystead_api::{Page, PageQuery, ServiceAccount};

/// A page of a project's service accounts, newest first. Needs `accounts.read`.
#[utoipa::path(get, path = "/v1/projects/{project}/service-accounts", tag = "principals", operation_id = "list_service_accounts",
    params(("project" = String, Path, description = "The project's id or slug."), PageQuery),
    responses((status = 200, body = Page<ServiceAccount>), Problems))]
pub(super) async fn list(
    State(app): State<App>,
    Called(caller): Called,
    Path(project): Path<String>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<ServiceAccount>>, ApiProblem> {
    Ok(Json(app.keystead.list_service_accounts(&caller, &project, &query).await?))
}
