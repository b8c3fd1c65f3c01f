//! `POST /v1/projects/{project}/guard/import`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Path;
use crate::state::App;
use crate::version::Versioned;
use axum::extract::State;
use keystead_api::{GuardDifference, GuardImport};

/// Reads the routes of an OpenAPI document into a guard: tells the difference, and applies it where asked. Needs
/// `guards.write`, and `catalogue.write` where permissions are new.
#[utoipa::path(post, path = "/v1/projects/{project}/guard/import", tag = "guard", operation_id = "import_guard",
    params(("project" = String, Path, description = "The project's id or slug.")),
    request_body = GuardImport, responses((status = 200, body = GuardDifference, headers(("ETag" = String))), Problems))]
pub(super) async fn import(
    State(app): State<App>,
    Called(caller): Called,
    Path(project): Path<String>,
    Json(input): Json<GuardImport>,
) -> Result<Versioned<GuardDifference>, ApiProblem> {
    let difference = app.keystead.import_guard(&caller, &project, &input).await?;
    Ok(Versioned(difference.version, difference))
}
