//! What the proxy itself answers: problem documents (RFC 9457).

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};
use http_body_util::Full;

/// Why a request is not answered by an upstream. Nothing in it tells where upstreams are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Problem {
    Host,
    Connect,
    TooLarge,
    SlowBody,
    BrokenBody,
    Busy,
    Unreachable,
    Failed,
    Slow,
}

impl Problem {
    const fn told(self) -> (StatusCode, &'static str, &'static str, &'static str) {
        match self {
            Self::Host => (
                StatusCode::BAD_REQUEST,
                "host_invalid",
                "The request names no host, or more than one.",
                "Send one Host header, or one :authority.",
            ),
            Self::Connect => (
                StatusCode::METHOD_NOT_ALLOWED,
                "connect_refused",
                "Connections to other hosts are not made here.",
                "Send the request to the API itself.",
            ),
            Self::TooLarge => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "too_large",
                "The body is larger than what is let through.",
                "Send less at a time, or have the operator raise body_bytes_max of the guard.",
            ),
            Self::SlowBody => (
                StatusCode::REQUEST_TIMEOUT,
                "body_too_slow",
                "Nothing more of the body came in time.",
                "Send the request again, without long pauses.",
            ),
            Self::BrokenBody => (
                StatusCode::BAD_REQUEST,
                "body_invalid",
                "The body is not what its head says.",
                "Send as much as Content-Length says, or whole chunks.",
            ),
            Self::Busy => (
                StatusCode::SERVICE_UNAVAILABLE,
                "overloaded",
                "Too many requests are in work.",
                "Try again in a second.",
            ),
            Self::Unreachable => (
                StatusCode::BAD_GATEWAY,
                "upstream_unreachable",
                "The API cannot be reached.",
                "Try again later; its operator finds the reason in the log of the guard.",
            ),
            Self::Failed => (
                StatusCode::BAD_GATEWAY,
                "upstream_failed",
                "The API gave no valid answer.",
                "Find out what became of the request before sending it again; the reason is in the log of the guard.",
            ),
            Self::Slow => (
                StatusCode::GATEWAY_TIMEOUT,
                "upstream_too_slow",
                "The API did not answer in time.",
                "Find out what became of the request before sending it again.",
            ),
        }
    }

    pub(crate) fn response(self) -> Response<Full<Bytes>> {
        let (status, code, detail, fix) = self.told();
        let document = serde_json::json!({
            "type": format!("urn:keystead:problem:{code}"),
            "title": status.canonical_reason().unwrap_or_default(),
            "status": status.as_u16(),
            "code": code,
            "detail": detail,
            "fix": fix,
        });
        let mut response = Response::new(Full::new(Bytes::from(document.to_string())));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        match self {
            Self::Busy => _ = headers.insert(RETRY_AFTER, HeaderValue::from_static("1")),
            Self::Connect => {
                let allow = HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
                headers.insert(ALLOW, allow);
            }
            _ => {}
        }
        response
    }
}
