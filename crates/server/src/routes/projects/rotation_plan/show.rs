//! `GET /v1/projects/{project}/rotation-plan`

use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Path;
use crate::state::App;
use crate::version::Versioned;
use axum::extract::State;
use keystead_api::RotationPlan;

/// How old a project's keys may become, and how they are rotated. Needs `projects.read`.
#[utoipa::path(get, path = "/v1/projects/{project}/rotation-plan", tag = "projects", operation_id = "show_rotation_plan",
    params(("project" = String, Path, description = "The project's id or slug.")),
    responses((status = 200, body = RotationPlan, headers(("ETag" = String))), Problems))]
pub(super) async fn show(
    State(app): State<App>,
    Called(caller): Called,
    Path(project): Path<String>,
) -> Result<Versioned<RotationPlan>, ApiProblem> {
    let plan = app.keystead.rotation_plan(&caller, &project).await?;
    Ok(Versioned(plan.version, plan))
}
