//! `GET /v1/projects/{project}/keys/due`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::{Path, Query};
use crate::state::App;
use axum::extract::State;
use keystead_api::{DueKey, Page, PageQuery};

/// Keys that are due to be rotated by the project's plan, or will be soon; the oldest first. Needs
/// `keys.read`.
#[utoipa::path(get, path = "/v1/projects/{project}/keys/due", tag = "keys", operation_id = "list_due_keys",
    params(("project" = String, Path, description = "The project's id or slug."), PageQuery),
    responses((status = 200, body = Page<DueKey>), Problems))]
pub(super) async fn due(
    State(app): State<App>,
    Called(caller): Called,
    Path(project): Path<String>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<DueKey>>, ApiProblem> {
    Ok(Json(app.keystead.due_keys(&caller, &project, &query).await?))
}
