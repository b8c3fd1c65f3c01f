//! `POST /v1/account/passkeys`

use crate::body::Json;
use crate::credential::Called;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::state::App;
use crate::version::Created;
use axum::extract::State;
use keystead_api::{AddPasskey, AddedPasskey};

/// Adds the passkey that a browser has made, in the session in which it was begun. It is a second factor, and a way in
/// that needs no password. With the first second factor come ten recovery codes, shown once.
#[utoipa::path(post, path = "/v1/account/passkeys", tag = "account", operation_id = "create_passkey", request_body = AddPasskey,
    responses((status = 201, body = AddedPasskey, headers(("Location" = String), ("ETag" = String))), Problems))]
pub(super) async fn add(
    State(app): State<App>,
    Called(caller): Called,
    Json(input): Json<AddPasskey>,
) -> Result<Created<AddedPasskey>, ApiProblem> {
    let added = app.keystead.add_passkey(&caller, &input).await?;
    let location = format!("/v1/account/passkeys/{}", added.passkey.id);
    Ok(Created { location, version: added.passkey.version, thing: added })
}
