//! `/v1/guard/envoy/…`: Envoy's ext_authz over HTTP, which asks with the request's own method and path below this one,
//! takes nothing but 200 for a yes (LESSONS 21), and removes the headers that it is told to.

use super::door::{Described, Misasked, judge, one, refused, set};
use crate::state::App;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderName, HeaderValue};
use keystead_guard::Answer;

const PREFIX: &str = "/v1/guard/envoy";
/// Not `x-forwarded-for`: to that, Envoy appends its own address when it asks.
const CLIENT: HeaderName = HeaderName::from_static("x-original-client");
const REMOVE: HeaderName = HeaderName::from_static("x-envoy-auth-headers-to-remove");

pub(super) async fn ask(State(app): State<App>, parts: Parts) -> Response {
    let (answer, _) = judge(&app, &parts, described(&parts)).await;
    let allowed = match answer {
        Answer::Allow(allowed) => allowed,
        Answer::Refuse(refusal) => return refused(&refusal),
    };
    let mut response = Response::new(Body::empty());
    let removed: Vec<&str> = allowed.remove.iter().map(HeaderName::as_str).collect();
    set(response.headers_mut(), allowed.set);
    set(response.headers_mut(), allowed.to_client);
    if let Ok(removed) = HeaderValue::from_str(&removed.join(",")) {
        response.headers_mut().insert(REMOVE, removed);
    }
    response
}

fn described(parts: &Parts) -> Result<Described<'_>, Misasked> {
    let target = parts.uri.path_and_query().map(PathAndQuery::as_str);
    let target = target.and_then(|target| target.strip_prefix(PREFIX));
    Ok(Described {
        method: parts.method.as_str(),
        target: target.ok_or(Misasked("Envoy's path_prefix must be /v1/guard/envoy."))?,
        peer: one(&parts.headers, &CLIENT).and_then(|client| client.parse().ok()).ok_or(Misasked(
            "Envoy must send x-original-client with the client's address, and no other: see its recipe.",
        ))?,
    })
}
