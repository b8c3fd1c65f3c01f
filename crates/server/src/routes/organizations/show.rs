//! `GET /v1/organizations/{organization}`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Path;
use crate::state::App;
use axum::extract::State;
use keystead_api::Organization;

/// One organization: the caller's own, or any for the operator. Needs `projects.read`.
#[utoipa::path(get, path = "/v1/organizations/{organization}", tag = "organizations", operation_id = "show_organization",
    params(("organization" = String, Path, description = "Id or slug.")),
    responses((status = 200, body = Organization), Problems))]
pub(super) async fn show(
    State(app): State<App>,
    Called(caller): Called,
    Path(organization): Path<String>,
) -> Result<Json<Organization>, ApiProblem> {
    Ok(Json(app.keystead.organization(&caller, &organization).await?))
}
