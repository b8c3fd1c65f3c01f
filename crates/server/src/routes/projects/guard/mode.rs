//! `POST /v1/projects/{project}/guard/mode`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Path;
use crate::state::App;
use crate::version::{IfMatch, Versioned};
use axum::extract::State;
use keystead_api::{GuardView, SetGuardMode};

/// Lets a guard, or some of its routes, observe or enforce from the next request on. Needs `guards.write`.
#[utoipa::path(post, path = "/v1/projects/{project}/guard/mode", tag = "guard", operation_id = "set_guard_mode",
    params(("project" = String, Path, description = "The project's id or slug."),
        ("If-Match" = Option<String>, Header, description = "The version that was seen.")),
    request_body = SetGuardMode, responses((status = 200, body = GuardView, headers(("ETag" = String))), Problems))]
pub(super) async fn mode(
    State(app): State<App>,
    Called(caller): Called,
    Path(project): Path<String>,
    IfMatch(version): IfMatch,
    Json(input): Json<SetGuardMode>,
) -> Result<Versioned<GuardView>, ApiProblem> {
    let set = app.keystead.set_guard_mode(&caller, &project, &input, version).await?;
    Ok(Versioned(set.version, set))
}
