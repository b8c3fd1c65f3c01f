//! `DELETE /v1/identity-providers/{provider}`

use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Path;
use crate::state::App;
use crate::version::IfMatch;
use axum::extract::State;
use http::StatusCode;

/// Deletes an identity provider, ends the sessions that began through it and takes away the places in teams that its
/// groups gave; the members stay. Needs what creating one needs.
#[utoipa::path(delete, path = "/v1/identity-providers/{provider}", tag = "people", operation_id = "delete_identity_provider",
    params(("provider" = String, Path, description = "Its id or name."), ("If-Match" = Option<String>, Header, description = "The version that was seen.")),
    responses((status = 204, description = "It is gone."), Problems))]
pub(super) async fn delete(
    State(app): State<App>,
    Called(caller): Called,
    Path(provider): Path<String>,
    IfMatch(version): IfMatch,
) -> Result<StatusCode, ApiProblem> {
    app.keystead.delete_identity_provider(&caller, &provider, version).await?;
    Ok(StatusCode::NO_CONTENT)
}
