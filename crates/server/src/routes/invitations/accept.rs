//! `POST /v1/invitations/accept`

use crate::body::Json;
use crate::credential::Unproven;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::state::App;
use axum::extract::State;
use keystead_api::{AcceptInvitation, Joined};

/// Accepts an invitation, with a new account or with the one that its address has. It works once.
#[utoipa::path(post, path = "/v1/invitations/accept", tag = "sign-in", operation_id = "accept_invitation", request_body = AcceptInvitation,
    security(()),
    responses((status = 200, body = Joined), Problems))]
pub(super) async fn accept(
    State(app): State<App>,
    Unproven(origin): Unproven,
    Json(input): Json<AcceptInvitation>,
) -> Result<Json<Joined>, ApiProblem> {
    Ok(Json(app.keystead.accept_invitation(&input, &origin).await?))
}
