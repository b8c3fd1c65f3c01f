//! The cookie of a browser's session. It counts alone, and for what changes something only beside a header that
//! no other site can set.

use super::API_KEY;
use crate::problem::{ApiProblem, ProblemCode};
use crate::state::App;
use http::header::{AUTHORIZATION, COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use keystead_service::caller::Caller;

const CSRF: HeaderName = HeaderName::from_static("x-csrf-token");
/// Over TLS: no other host, and nobody on plain HTTP, can set a cookie of this name (RFC 6265bis §4.1.3.2).
const SECURE: &str = "__Host-keystead";
/// On this machine without TLS.
const PLAIN: &str = "keystead-session";

/// The same two, of a sign-in that a provider is to finish.
const SECURE_FLOW: &str = "__Host-keystead-sign-in";
const PLAIN_FLOW: &str = "keystead-sign-in";

const fn flow_name(is_secure: bool) -> &'static str {
    if is_secure { SECURE_FLOW } else { PLAIN_FLOW }
}

const fn name(is_secure: bool) -> &'static str {
    if is_secure { SECURE } else { PLAIN }
}

/// The token in the session's cookie; `None` when there is no such cookie.
///
/// # Errors
/// `credential_ambiguous` when there are two, or a key beside it (LESSONS 20).
pub(super) fn alone(headers: &HeaderMap, app: &App) -> Result<Option<String>, ApiProblem> {
    let mut found = named(headers, name(app.keystead.sign_in_settings().is_secure()));
    let Some(token) = found.next() else { return Ok(None) };
    if found.next().is_some() || headers.contains_key(AUTHORIZATION) || headers.contains_key(API_KEY) {
        return Err(ApiProblem::new(
            ProblemCode::CredentialAmbiguous,
            "The request carries a session's cookie and another credential.",
        ));
    }
    Ok(Some(token.to_owned()))
}

fn named<'a>(headers: &'a HeaderMap, wanted: &'static str) -> impl Iterator<Item = &'a str> {
    let pairs = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    pairs.flat_map(|line| line.split(';')).filter_map(move |pair| {
        let (name, value) = pair.split_once('=')?;
        (name.trim() == wanted).then(|| value.trim())
    })
}

/// The token of the sign-in that a browser began; empty when it began none.
///
/// # Errors
/// `credential_ambiguous` when there are two.
pub(crate) fn flow(headers: &HeaderMap, app: &App) -> Result<String, ApiProblem> {
    let mut found = named(headers, flow_name(app.keystead.sign_in_settings().is_secure()));
    let token = found.next().unwrap_or_default();
    if found.next().is_some() {
        return Err(ApiProblem::new(ProblemCode::CredentialAmbiguous, "The request carries two sign-ins."));
    }
    Ok(token.to_owned())
}

/// A browser sends the cookie whichever page asks it to: only our own knows the token beside it.
pub(super) fn check_sender(
    method: &Method,
    headers: &HeaderMap,
    app: &App,
    caller: &Caller,
) -> Result<(), ApiProblem> {
    if method.is_safe() {
        return Ok(());
    }
    let mut sent = headers.get_all(CSRF).iter();
    let proves = sent.next().is_some_and(|value| app.keystead.is_csrf_token(caller, value.as_bytes()));
    if proves && sent.next().is_none() {
        return Ok(());
    }
    Err(ApiProblem::new(
        ProblemCode::CsrfRequired,
        "The request carries a session's cookie without the token that belongs to it.",
    ))
}

/// What sets the cookie; with no seconds, what removes it.
pub(crate) fn set(app: &App, token: &str, seconds: u64) -> Option<HeaderValue> {
    let name = name(app.keystead.sign_in_settings().is_secure());
    write(app, name, token, seconds, "Strict")
}

/// What sets the cookie of a sign-in that a provider is to finish; with no seconds, what removes it. The browser comes
/// back from another site, so it is sent along when a link is followed, and with nothing else.
pub(crate) fn set_flow(app: &App, token: &str, seconds: u64) -> Option<HeaderValue> {
    let name = flow_name(app.keystead.sign_in_settings().is_secure());
    write(app, name, token, seconds, "Lax")
}

fn write(app: &App, name: &str, token: &str, seconds: u64, same_site: &str) -> Option<HeaderValue> {
    let secure = if app.keystead.sign_in_settings().is_secure() { "; Secure" } else { "" };
    let text = format!("{name}={token}; Path=/; Max-Age={seconds}; HttpOnly; SameSite={same_site}{secure}");
    let mut value = HeaderValue::try_from(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}
