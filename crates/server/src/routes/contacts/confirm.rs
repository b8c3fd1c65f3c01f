//! `POST /v1/contact-confirmations`

use crate::body::Json;
use crate::credential::Unproven;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::state::App;
use axum::extract::State;
use keystead_api::{ConfirmContact, ContactConfirmed};

/// Says that an address is a team's, by the link that it was sent. It works once, and is believed for a year.
#[utoipa::path(post, path = "/v1/contact-confirmations", tag = "contacts", operation_id = "confirm_contact", request_body = ConfirmContact,
    security(()),
    responses((status = 200, body = ContactConfirmed), Problems))]
pub(super) async fn confirm(
    State(app): State<App>,
    Unproven(origin): Unproven,
    Json(input): Json<ConfirmContact>,
) -> Result<Json<ContactConfirmed>, ApiProblem> {
    Ok(Json(app.keystead.confirm_contact(&input, &origin).await?))
}
