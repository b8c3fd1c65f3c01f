//! `GET /v1/sign-in/oidc/callback`

use crate::body::Json;
use crate::credential::{Unproven, cookie};
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Query;
use crate::state::App;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use http::header::SET_COOKIE;
use keystead_api::{SignedIn, SingleSignOnCallback};
use keystead_service::Returns;

/// Where a browser comes back to from its provider: finishes the sign-in that it began, and sets the session's cookie.
/// Works once, and only in that browser: a link to it that is followed elsewhere does nothing.
#[utoipa::path(get, path = "/v1/sign-in/oidc/callback", tag = "sign-in", operation_id = "single_sign_on_callback",
    params(SingleSignOnCallback), security(()),
    responses((status = 200, body = SignedIn), Problems))]
pub(super) async fn callback(
    State(app): State<App>,
    Unproven(origin): Unproven,
    headers: HeaderMap,
    Query(back): Query<SingleSignOnCallback>,
) -> Result<Response, ApiProblem> {
    let flow = cookie::flow(&headers, &app)?;
    let started = app.keystead.finish_single_sign_on(&flow, &back, Returns::Here, &origin).await?;
    let session = cookie::set(&app, started.token.expose(), started.seconds);
    let mut response = Json(SignedIn { current: started.current, token: None }).into_response();
    for cookie in [session, cookie::set_flow(&app, "", 0)].into_iter().flatten() {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    Ok(response)
}
