//! `DELETE /v1/sessions/{session}`, `DELETE /v1/sessions/current`

use crate::credential::{Called, cookie};
use crate::openapi::Problems;
use crate::problem::ApiProblem;
use crate::query::Path;
use crate::state::App;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::SET_COOKIE;
use keystead_service::caller::Caller;

/// Ends a session of one's own account. For people who signed in.
#[utoipa::path(delete, path = "/v1/sessions/{session}", tag = "account", operation_id = "end_session",
    params(("session" = String, Path, description = "Its id, `ses_…`.")),
    responses((status = 204), Problems))]
pub(super) async fn delete(
    State(app): State<App>,
    Called(caller): Called,
    Path(session): Path<String>,
) -> Result<Response, ApiProblem> {
    end(&app, &caller, &session).await
}

/// Signs out: ends the session that asks. For people who signed in.
#[utoipa::path(delete, path = "/v1/sessions/current", tag = "account", operation_id = "sign_out",
    responses((status = 204), Problems))]
pub(super) async fn sign_out(State(app): State<App>, Called(caller): Called) -> Result<Response, ApiProblem> {
    end(&app, &caller, "current").await
}

async fn end(app: &App, caller: &Caller, session: &str) -> Result<Response, ApiProblem> {
    app.keystead.end_session(caller, session).await?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    let own =
        caller.session.as_ref().is_some_and(|own| session == "current" || session == own.id.to_string());
    if let Some(cookie) = own.then(|| cookie::set(app, "", 0)).flatten() {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    Ok(response)
}
