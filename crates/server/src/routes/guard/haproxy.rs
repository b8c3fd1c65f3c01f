//! `/v1/guard/haproxy`: HAProxy, whose recipe asks from Lua and passes a refusal on as it is.

use super::door::{judge, refused, whole};
use super::nginx::original;
use crate::state::App;
use axum::extract::State;
use axum::response::Response;
use http::request::Parts;
use keystead_guard::Answer;

pub(super) async fn ask(State(app): State<App>, parts: Parts) -> Response {
    let (answer, door) = judge(&app, &parts, original(&parts.headers)).await;
    match answer {
        Answer::Allow(allowed) => whole(&parts, door.as_ref(), allowed),
        Answer::Refuse(refusal) => refused(&refusal),
    }
}
