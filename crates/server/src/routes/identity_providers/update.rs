//! `PATCH /v1/identity-providers/{provider}`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Path;
use crate::state::App;
use crate::version::{IfMatch, Versioned};
use axum::extract::State;
use keystead_api::{IdentityProvider, UpdateIdentityProvider};

/// Changes an identity provider, or has members sign in through providers only (`enforced`). Needs what creating one
/// needs.
#[utoipa::path(patch, path = "/v1/identity-providers/{provider}", tag = "people", operation_id = "update_identity_provider", request_body = UpdateIdentityProvider,
    params(("provider" = String, Path, description = "Its id or name."), ("If-Match" = Option<String>, Header, description = "The version that was seen.")),
    responses((status = 200, body = IdentityProvider, headers(("ETag" = String))), Problems))]
pub(super) async fn update(
    State(app): State<App>,
    Called(caller): Called,
    Path(provider): Path<String>,
    IfMatch(version): IfMatch,
    Json(input): Json<UpdateIdentityProvider>,
) -> Result<Versioned<IdentityProvider>, ApiProblem> {
    let shown = app.keystead.update_identity_provider(&caller, &provider, input, version).await?;
    Ok(Versioned(shown.version, shown))
}
