//! `POST /v1/sessions`

use crate::body::Json;
use crate::credential::{Unproven, cookie};
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::state::App;
use crate::version::Created;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::SET_COOKIE;
use keystead_api::{SignIn, SignedIn};
use keystead_service::Started;

/// Signs in with e-mail and password, and with the second factor where the account has one.
#[utoipa::path(post, path = "/v1/sessions", tag = "sign-in", operation_id = "create_session", request_body = SignIn,
    security(()),
    responses((status = 201, body = SignedIn, headers(("Location" = String))), Problems))]
pub(super) async fn create(
    State(app): State<App>,
    Unproven(origin): Unproven,
    Json(input): Json<SignIn>,
) -> Result<Response, ApiProblem> {
    let started = app.keystead.sign_in(&input, &origin).await?;
    Ok(answer(&app, started, input.token))
}

/// A session that has just begun: with its token, or with what sets the cookie.
pub(super) fn answer(app: &App, started: Started, with_token: bool) -> Response {
    let cookie = (!with_token).then(|| cookie::set(app, started.token.expose(), started.seconds));
    let token = with_token.then(|| started.token.expose().to_owned());
    let mut response = Created {
        location: format!("/v1/sessions/{}", started.current.session.id),
        version: 1,
        thing: SignedIn { current: started.current, token },
    }
    .into_response();
    if let Some(cookie) = cookie.flatten() {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    response
}
