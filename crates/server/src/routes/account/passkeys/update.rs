//! `PATCH /v1/account/passkeys/{passkey}`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Path;
use crate::state::App;
use crate::version::{IfMatch, Versioned};
use axum::extract::State;
use keystead_api::{Passkey, UpdatePasskey};

/// Gives one of one's own passkeys another name. For people who signed in.
#[utoipa::path(patch, path = "/v1/account/passkeys/{passkey}", tag = "account", operation_id = "update_passkey", request_body = UpdatePasskey,
    params(("passkey" = String, Path, description = "Its id, `pky_…`."), ("If-Match" = Option<String>, Header, description = "The version that was seen.")),
    responses((status = 200, body = Passkey, headers(("ETag" = String))), Problems))]
pub(super) async fn update(
    State(app): State<App>,
    Called(caller): Called,
    Path(passkey): Path<String>,
    IfMatch(version): IfMatch,
    Json(input): Json<UpdatePasskey>,
) -> Result<Versioned<Passkey>, ApiProblem> {
    let shown = app.keystead.update_passkey(&caller, &passkey, input, version).await?;
    Ok(Versioned(shown.version, shown))
}
