//! `GET /v1/projects/{project}/guard`

use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Path;
use crate::state::App;
use crate::version::Versioned;
use axum::extract::State;
use keystead_api::GuardView;

/// How a project's API is guarded. Needs `guards.read`.
#[utoipa::path(get, path = "/v1/projects/{project}/guard", tag = "guard", operation_id = "show_guard",
    params(("project" = String, Path, description = "The project's id or slug.")),
    responses((status = 200, body = GuardView, headers(("ETag" = String))), Problems))]
pub(super) async fn show(
    State(app): State<App>,
    Called(caller): Called,
    Path(project): Path<String>,
) -> Result<Versioned<GuardView>, ApiProblem> {
    let found = app.keystead.project_guard(&caller, &project).await?;
    Ok(Versioned(found.version, found))
}
