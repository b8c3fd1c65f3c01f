//! `PATCH /v1/projects/{project}/environments/{environment}`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Path;
use crate::state::App;
use crate::version::{IfMatch, Versioned};
use axum::extract::State;
use keystead_api::{Environment, UpdateEnvironment};

/// Changes an environment's name; slug and tag never change. Needs `projects.write`.
#[utoipa::path(patch, path = "/v1/projects/{project}/environments/{environment}", tag = "projects", operation_id = "update_environment",
    params(("project" = String, Path, description = "The project's id or slug."), ("environment" = String, Path, description = "The environment's id or slug."),
        ("If-Match" = Option<String>, Header, description = "The version that was seen.")),
    request_body = UpdateEnvironment, responses((status = 200, body = Environment, headers(("ETag" = String))), Problems))]
pub(super) async fn update(
    State(app): State<App>,
    Called(caller): Called,
    Path((project, environment)): Path<(String, String)>,
    IfMatch(version): IfMatch,
    Json(input): Json<UpdateEnvironment>,
) -> Result<Versioned<Environment>, ApiProblem> {
    let changed = app.keystead.update_environment(&caller, &project, &environment, input, version).await?;
    Ok(Versioned(changed.version, changed))
}
