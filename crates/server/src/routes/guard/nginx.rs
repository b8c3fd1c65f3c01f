//! `/v1/guard/nginx`: nginx's `auth_request`, which passes on 401 and 403 and makes 500 of every other refusal
//! (LESSONS 14). So those two are all that it gets; beside them stands what the client is to get.

use super::door::{Described, Misasked, judge, one, refused, set, whole};
use crate::state::App;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use keystead_guard::{Answer, Refusal};

const METHOD: HeaderName = HeaderName::from_static("x-original-method");
const URI: HeaderName = HeaderName::from_static("x-original-uri");
const CLIENT: HeaderName = HeaderName::from_static("x-original-client");

/// The status that the client is to get.
const STATUS: HeaderName = HeaderName::from_static("x-keystead-status");
/// The body that the client is to get: JSON in ASCII.
const PROBLEM: HeaderName = HeaderName::from_static("x-keystead-problem");

pub(super) async fn ask(State(app): State<App>, parts: Parts) -> Response {
    let (answer, door) = judge(&app, &parts, original(&parts.headers)).await;
    match answer {
        Answer::Allow(allowed) => whole(&parts, door.as_ref(), allowed),
        Answer::Refuse(refusal) => told_apart(&refusal),
    }
}

/// What nginx and HAProxy are told to send by their recipes.
pub(super) fn original(headers: &HeaderMap) -> Result<Described<'_>, Misasked> {
    const WHAT: &str =
        "The proxy must send X-Original-Method, X-Original-URI and X-Original-Client, each once.";
    let client = one(headers, &CLIENT).and_then(|client| client.parse().ok());
    Ok(Described {
        method: one(headers, &METHOD).ok_or(Misasked(WHAT))?,
        target: one(headers, &URI).ok_or(Misasked(WHAT))?,
        peer: client.ok_or(Misasked(WHAT))?,
    })
}

fn told_apart(refusal: &Refusal) -> Response {
    let mut response = refused(refusal);
    let status = refusal.status;
    if status != StatusCode::UNAUTHORIZED {
        *response.status_mut() = StatusCode::FORBIDDEN;
    }
    let mut told = vec![(STATUS, HeaderValue::from(status.as_u16()))];
    told.extend(HeaderValue::from_str(&refusal.document()).ok().map(|problem| (PROBLEM, problem)));
    set(response.headers_mut(), told);
    response.headers_mut().remove(CONTENT_TYPE);
    *response.body_mut() = Body::empty();
    response
}
