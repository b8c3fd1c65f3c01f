//! `PATCH /v1/projects/{project}/roles/{role}`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Path;
use crate::state::App;
use crate::version::{IfMatch, Versioned};
use axum::extract::State;
use keystead_api::{Role, UpdateRole};

/// Changes a role; every key that holds it follows on its next request. Needs `catalogue.write`.
#[utoipa::path(patch, path = "/v1/projects/{project}/roles/{role}", tag = "catalogue", operation_id = "update_role",
    params(("project" = String, Path, description = "The project's id or slug."), ("role" = String, Path, description = "The role's id or name."),
        ("If-Match" = Option<String>, Header, description = "The version that was seen.")),
    request_body = UpdateRole, responses((status = 200, body = Role, headers(("ETag" = String))), Problems))]
pub(super) async fn update(
    State(app): State<App>,
    Called(caller): Called,
    Path((project, role)): Path<(String, String)>,
    IfMatch(version): IfMatch,
    Json(input): Json<UpdateRole>,
) -> Result<Versioned<Role>, ApiProblem> {
    let changed = app.keystead.update_role(&caller, &project, &role, input, version).await?;
    Ok(Versioned(changed.version, changed))
}
