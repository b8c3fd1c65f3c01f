//! `POST /v1/identity-providers`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::state::App;
use crate::version::Created;
use axum::extract::State;
use keystead_api::{CreateIdentityProvider, IdentityProvider};

/// Adds an OpenID Connect provider. Needs every right of the organization (the role `owner`), and of a person a second
/// factor that was proved in the last ten minutes: a provider can say of anybody who they are.
#[utoipa::path(post, path = "/v1/identity-providers", tag = "people", operation_id = "create_identity_provider", request_body = CreateIdentityProvider,
    responses((status = 201, body = IdentityProvider, headers(("ETag" = String), ("Location" = String))), Problems))]
pub(super) async fn create(
    State(app): State<App>,
    Called(caller): Called,
    Json(input): Json<CreateIdentityProvider>,
) -> Result<Created<IdentityProvider>, ApiProblem> {
    let created = app.keystead.create_identity_provider(&caller, input).await?;
    let location = format!("/v1/identity-providers/{}", created.id);
    Ok(Created { location, version: created.version, thing: created })
}
