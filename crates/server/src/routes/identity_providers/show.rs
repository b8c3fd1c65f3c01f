//! `GET /v1/identity-providers/{provider}`

use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Path;
use crate::state::App;
use crate::version::Versioned;
use axum::extract::State;
use keystead_api::IdentityProvider;

/// One identity provider; its secret is never shown. Needs `people.read`.
#[utoipa::path(get, path = "/v1/identity-providers/{provider}", tag = "people", operation_id = "show_identity_provider",
    params(("provider" = String, Path, description = "Its id or name.")),
    responses((status = 200, body = IdentityProvider, headers(("ETag" = String))), Problems))]
pub(super) async fn show(
    State(app): State<App>,
    Called(caller): Called,
    Path(provider): Path<String>,
) -> Result<Versioned<IdentityProvider>, ApiProblem> {
    let shown = app.keystead.identity_provider(&caller, &provider).await?;
    Ok(Versioned(shown.version, shown))
}
