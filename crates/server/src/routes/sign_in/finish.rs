//! `POST /v1/sign-in/oidc/finish`

use crate::body::Json;
use crate::credential::Unproven;
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::state::App;
use axum::extract::State;
use keystead_api::{FinishSingleSignOn, SignedIn, SingleSignOnCallback};
use keystead_service::Returns;

/// Finishes a sign-in that a program began, with what the browser brought to it. Answers a token; works once.
#[utoipa::path(post, path = "/v1/sign-in/oidc/finish", tag = "sign-in", operation_id = "finish_single_sign_on", request_body = FinishSingleSignOn,
    security(()),
    responses((status = 200, body = SignedIn), Problems))]
pub(super) async fn finish(
    State(app): State<App>,
    Unproven(origin): Unproven,
    Json(input): Json<FinishSingleSignOn>,
) -> Result<Json<SignedIn>, ApiProblem> {
    let back = SingleSignOnCallback {
        state: Some(input.state),
        code: Some(input.code),
        iss: input.iss,
        error: None,
    };
    let started = app.keystead.finish_single_sign_on(&input.flow, &back, Returns::Program, &origin).await?;
    Ok(Json(SignedIn { token: Some(started.token.expose().to_owned()), current: started.current }))
}
