//! `/passkeys`: the page on which browsers are asked for passkeys, with its style and its script. Everything it may do
//! stands in its policy: nothing inline, nothing from elsewhere, in nobody's frame.

use crate::state::App;
use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::{
    CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, REFERRER_POLICY,
    X_FRAME_OPTIONS,
};

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
    form-action 'none'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";

const HEADERS: [(HeaderName, &str); 6] = [
    (CONTENT_SECURITY_POLICY, POLICY),
    (X_FRAME_OPTIONS, "DENY"),
    (REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "publickey-credentials-create=(self), publickey-credentials-get=(self), camera=(), geolocation=(), microphone=()",
    ),
];

/// A file that is part of the binary.
fn file(kind: &'static str, text: &'static str) -> Response {
    let mut headers: HeaderMap =
        HEADERS.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    (headers, text).into_response()
}

pub(super) fn routes() -> Router<App> {
    let html = || async { file("text/html; charset=utf-8", include_str!("page.html")) };
    let style = || async { file("text/css; charset=utf-8", include_str!("passkeys.css")) };
    let script = || async { file("text/javascript; charset=utf-8", include_str!("passkeys.js")) };
    Router::new()
        .route("/passkeys", get(html))
        .route("/assets/passkeys.css", get(style))
        .route("/assets/passkeys.js", get(script))
}
