//! `POST /v1/sign-in/oidc/start`

use crate::body::Json;
use crate::credential::{Unproven, cookie};
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::state::App;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::SET_COOKIE;
use keystead_api::{BegunSingleSignOn, StartSingleSignOn};
use keystead_service::Returns;

/// Begins a sign-in through an organization's identity provider: answers where to send the browser, and what proves
/// later that who finishes is who began, as a cookie or, for programs, in the answer.
#[utoipa::path(post, path = "/v1/sign-in/oidc/start", tag = "sign-in", operation_id = "start_single_sign_on", request_body = StartSingleSignOn,
    security(()),
    responses((status = 200, body = BegunSingleSignOn), Problems))]
pub(super) async fn start(
    State(app): State<App>,
    Unproven(origin): Unproven,
    Json(input): Json<StartSingleSignOn>,
) -> Result<Response, ApiProblem> {
    let mut begun = app.keystead.start_single_sign_on(&input, &origin).await?;
    let cookie = match begun.returns {
        Returns::Here => cookie::set_flow(&app, begun.flow.expose(), begun.seconds),
        Returns::Program => {
            begun.answer.flow = Some(begun.flow.expose().to_owned());
            None
        }
    };
    let mut response = Json(begun.answer).into_response();
    if let Some(cookie) = cookie {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    Ok(response)
}
