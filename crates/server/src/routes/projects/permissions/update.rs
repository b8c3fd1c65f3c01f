//! `PATCH /v1/projects/{project}/permissions/{permission}`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Path;
use crate::state::App;
use crate::version::{IfMatch, Versioned};
use axum::extract::State;
use keystead_api::{Permission, UpdatePermission};

/// Changes a permission; its name never changes. Needs `catalogue.write`.
#[utoipa::path(patch, path = "/v1/projects/{project}/permissions/{permission}", tag = "catalogue", operation_id = "update_permission",
    params(("project" = String, Path, description = "The project's id or slug."), ("permission" = String, Path, description = "The permission's id or name."),
        ("If-Match" = Option<String>, Header, description = "The version that was seen.")),
    request_body = UpdatePermission, responses((status = 200, body = Permission, headers(("ETag" = String))), Problems))]
pub(super) async fn update(
    State(app): State<App>,
    Called(caller): Called,
    Path((project, permission)): Path<(String, String)>,
    IfMatch(version): IfMatch,
    Json(input): Json<UpdatePermission>,
) -> Result<Versioned<Permission>, ApiProblem> {
    let changed = app.keystead.update_permission(&caller, &project, &permission, input, version).await?;
    Ok(Versioned(changed.version, changed))
}
