//! `PUT /v1/projects/{project}/rotation-plan`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Path;
use crate::state::App;
use crate::version::{IfMatch, Versioned};
use axum::extract::State;
use keystead_api::{RotationPlan, SetRotationPlan};

/// Sets a project's whole rotation plan. Needs `projects.write`.
#[utoipa::path(put, path = "/v1/projects/{project}/rotation-plan", tag = "projects", operation_id = "set_rotation_plan",
    params(("project" = String, Path, description = "The project's id or slug."), ("If-Match" = Option<String>, Header, description = "The version that was seen.")),
    request_body = SetRotationPlan, responses((status = 200, body = RotationPlan, headers(("ETag" = String))), Problems))]
pub(super) async fn set(
    State(app): State<App>,
    Called(caller): Called,
    Path(project): Path<String>,
    IfMatch(version): IfMatch,
    Json(input): Json<SetRotationPlan>,
) -> Result<Versioned<RotationPlan>, ApiProblem> {
    let plan = app.keystead.set_rotation_plan(&caller, &project, input, version).await?;
    Ok(Versioned(plan.version, plan))
}
