//! `DELETE /v1/account/passkeys/{passkey}`

use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Path;
use crate::state::App;
use crate::version::IfMatch;
use axum::extract::State;
use http::StatusCode;

/// Deletes one of one's own passkeys; every other session of the account ends. Needs the second factor, proved in the
/// last ten minutes.
#[utoipa::path(delete, path = "/v1/account/passkeys/{passkey}", tag = "account", operation_id = "delete_passkey",
    params(("passkey" = String, Path, description = "Its id, `pky_…`."), ("If-Match" = Option<String>, Header, description = "The version that was seen.")),
    responses((status = 204, description = "It is gone."), Problems))]
pub(super) async fn delete(
    State(app): State<App>,
    Called(caller): Called,
    Path(passkey): Path<String>,
    IfMatch(version): IfMatch,
) -> Result<StatusCode, ApiProblem> {
    app.keystead.delete_passkey(&caller, &passkey, version).await?;
    Ok(StatusCode::NO_CONTENT)
}
