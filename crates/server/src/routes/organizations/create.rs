//! `POST /v1/organizations`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::state::App;
use crate::version::Created;
use axum::extract::State;
use keystead_api::{CreateOrganization, CreatedOrganization};

/// Creates an organization with the key that administers it, shown once. For the operator.
#[utoipa::path(post, path = "/v1/organizations", tag = "organizations", operation_id = "create_organization", request_body = CreateOrganization,
    responses((status = 201, body = CreatedOrganization, headers(("Location" = String))), Problems))]
pub(super) async fn create(
    State(app): State<App>,
    Called(caller): Called,
    Json(input): Json<CreateOrganization>,
) -> Result<Created<CreatedOrganization>, ApiProblem> {
    let created = app.keystead.create_organization(&caller, input).await?;
    Ok(Created {
        location: format!("/v1/organizations/{}", created.organization.id),
        version: 1,
        thing: created,
    })
}
