//! `/v1/guard/forwarded`: Caddy's `forward_auth` and Traefik's ForwardAuth, which say in `X-Forwarded-*` what they
//! ask about, and pass a refusal on as it is.

use super::door::{Described, Misasked, judge, last_forwarded, one, refused, whole};
use crate::state::App;
use axum::extract::State;
use axum::response::Response;
use http::HeaderName;
use http::request::Parts;
use keystead_guard::Answer;

const METHOD: HeaderName = HeaderName::from_static("x-forwarded-method");
const URI: HeaderName = HeaderName::from_static("x-forwarded-uri");

pub(super) async fn ask(State(app): State<App>, parts: Parts) -> Response {
    let (answer, door) = judge(&app, &parts, described(&parts)).await;
    match answer {
        Answer::Allow(allowed) => whole(&parts, door.as_ref(), allowed),
        Answer::Refuse(refusal) => refused(&refusal),
    }
}

fn described(parts: &Parts) -> Result<Described<'_>, Misasked> {
    const WHAT: &str =
        "The proxy must send X-Forwarded-Method, X-Forwarded-Uri and X-Forwarded-For, each once.";
    Ok(Described {
        method: one(&parts.headers, &METHOD).ok_or(Misasked(WHAT))?,
        target: one(&parts.headers, &URI).ok_or(Misasked(WHAT))?,
        peer: last_forwarded(&parts.headers).ok_or(Misasked(WHAT))?,
    })
}
