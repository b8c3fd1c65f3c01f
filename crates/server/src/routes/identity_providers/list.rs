//! `GET /v1/identity-providers`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::state::App;
use axum::extract::State;
use keystead_api::{IdentityProvider, Page};

/// The organization's identity providers, newest first; at most five. Needs `people.read`.
#[utoipa::path(get, path = "/v1/identity-providers", tag = "people", operation_id = "list_identity_providers",
    responses((status = 200, body = Page<IdentityProvider>), Problems))]
pub(super) async fn list(
    State(app): State<App>,
    Called(caller): Called,
) -> Result<Json<Page<IdentityProvider>>, ApiProblem> {
    Ok(Json(app.keystead.list_identity_providers(&caller).await?))
}
