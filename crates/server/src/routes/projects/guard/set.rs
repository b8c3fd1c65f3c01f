//! `PUT /v1/projects/{project}/guard`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Path;
use crate::state::App;
use crate::version::{IfMatch, Versioned};
use axum::extract::State;
use keystead_api::{Guard, GuardView};

/// Replaces how a project's API is guarded; it holds for the next request. Needs `guards.write`.
#[utoipa::path(put, path = "/v1/projects/{project}/guard", tag = "guard", operation_id = "set_guard",
    params(("project" = String, Path, description = "The project's id or slug."),
        ("If-Match" = Option<String>, Header, description = "The version that was seen; 0 where there was none.")),
    request_body = Guard, responses((status = 200, body = GuardView, headers(("ETag" = String))), Problems))]
pub(super) async fn set(
    State(app): State<App>,
    Called(caller): Called,
    Path(project): Path<String>,
    IfMatch(version): IfMatch,
    Json(guard): Json<Guard>,
) -> Result<Versioned<GuardView>, ApiProblem> {
    let set = app.keystead.set_guard(&caller, &project, guard, version).await?;
    Ok(Versioned(set.version, set))
}
