//! `POST /v1/identity-providers/{provider}/test`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Path;
use crate::state::App;
use axum::extract::State;
use keystead_api::IdentityProviderTest;

/// Asks a provider for its configuration and keys. Needs `people.write`.
#[utoipa::path(post, path = "/v1/identity-providers/{provider}/test", tag = "people", operation_id = "test_identity_provider",
    params(("provider" = String, Path, description = "Its id or name.")),
    responses((status = 200, body = IdentityProviderTest), Problems))]
pub(super) async fn test(
    State(app): State<App>,
    Called(caller): Called,
    Path(provider): Path<String>,
) -> Result<Json<IdentityProviderTest>, ApiProblem> {
    Ok(Json(app.keystead.test_identity_provider(&caller, &provider).await?))
}
