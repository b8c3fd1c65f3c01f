//! What whoever stands before an API does with a request: what goes on to the upstream, or what the client is told.

use http::{HeaderName, HeaderValue, StatusCode};
use keystead_api::Code;

/// What becomes of a request.
#[derive(Debug, Clone)]
pub enum Answer {
    /// It goes on.
    Allow(Allowed),
    /// The client is told why not.
    Refuse(Refusal),
}

/// How a request goes on.
#[derive(Debug, Clone, Default)]
pub struct Allowed {
    /// Headers that the upstream gets, in place of any of that name.
    pub set: Vec<(HeaderName, HeaderValue)>,
    /// Headers that it does not get: those of the identity that are not set, and the one that the key was in.
    pub remove: Vec<HeaderName>,
    /// The query's parameter that the key was in: it does not go on.
    pub remove_parameter: Option<Box<str>>,
    /// Headers that the client gets beside the upstream's.
    pub to_client: Vec<(HeaderName, HeaderValue)>,
}

/// Why a request does not go on. Nothing in it is secret or known to the owner of the API alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The status.
    pub status: StatusCode,
    /// The verdict's stable name, `identity_header_forged` or `request_misleading`.
    pub code: &'static str,
    /// A sentence for people.
    pub detail: &'static str,
    /// Whether a key was sent: RFC 6750 §3.1 names an error only then.
    pub key_sent: bool,
    /// When to try again, in seconds.
    pub retry_after_seconds: Option<u64>,
    /// Further headers for the client.
    pub to_client: Vec<(HeaderName, HeaderValue)>,
}

impl Refusal {
    /// For a verdict. What a key of nobody's, a mistyped and a guessed one get is the same (LESSONS 6).
    #[must_use]
    pub fn of(code: Code, retry_after_seconds: Option<u64>) -> Self {
        let (status, name, detail) = match code {
            Code::Valid | Code::Unavailable => {
                (StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Keys cannot be checked right now.")
            }
            Code::Malformed | Code::NotFound | Code::WrongSecret => {
                (StatusCode::UNAUTHORIZED, "not_found", "The key is not known here.")
            }
            Code::Disabled => (StatusCode::UNAUTHORIZED, "disabled", "The key is switched off."),
            Code::Revoked => (StatusCode::UNAUTHORIZED, "revoked", "The key was revoked."),
            Code::Expired => (StatusCode::UNAUTHORIZED, "expired", "The key has expired."),
            Code::NotYetValid => (StatusCode::UNAUTHORIZED, "not_yet_valid", "The key is not valid yet."),
            Code::Suspended => (StatusCode::UNAUTHORIZED, "suspended", "The key is suspended."),
            Code::NetworkDenied => {
                (StatusCode::FORBIDDEN, "network_denied", "The key may not be used from this address.")
            }
            Code::OriginDenied => {
                (StatusCode::FORBIDDEN, "origin_denied", "The key may not be used by this web page.")
            }
            Code::EndpointDenied => {
                (StatusCode::FORBIDDEN, "endpoint_denied", "The key may not be used for this endpoint.")
            }
            Code::InsufficientPermissions => (
                StatusCode::FORBIDDEN,
                "insufficient_permissions",
                "The key lacks a permission that this needs.",
            ),
            Code::ConditionDenied => {
                (StatusCode::FORBIDDEN, "condition_denied", "A condition of the key does not hold now.")
            }
            Code::RateLimited => {
                (StatusCode::TOO_MANY_REQUESTS, "rate_limited", "The rate limit is used up.")
            }
            Code::QuotaExceeded => (StatusCode::TOO_MANY_REQUESTS, "quota_exceeded", "The quota is used up."),
            Code::CreditsExhausted => {
                (StatusCode::TOO_MANY_REQUESTS, "credits_exhausted", "The credits are used up.")
            }
        };
        let retry = retry_after_seconds.or((status == StatusCode::SERVICE_UNAVAILABLE).then_some(1));
        Self { status, code: name, detail, key_sent: true, retry_after_seconds: retry, to_client: Vec::new() }
    }

    /// The client brought no key, more than one, or something else that no key makes good.
    #[must_use]
    pub const fn at_once(
        status: StatusCode,
        code: &'static str,
        detail: &'static str,
        key_sent: bool,
    ) -> Self {
        Self { status, code, detail, key_sent, retry_after_seconds: None, to_client: Vec::new() }
    }

    /// `WWW-Authenticate` of a 401 (RFC 6750 §3).
    #[must_use]
    pub fn challenge(&self) -> Option<HeaderValue> {
        let challenge = match (self.status, self.key_sent) {
            (StatusCode::UNAUTHORIZED, true) => "Bearer realm=\"keystead\", error=\"invalid_token\"",
            (StatusCode::UNAUTHORIZED, false) => "Bearer realm=\"keystead\"",
            _ => return None,
        };
        Some(HeaderValue::from_static(challenge))
    }

    /// The body: a problem document (RFC 9457) in ASCII, so that it can also stand in a header.
    #[must_use]
    pub fn document(&self) -> String {
        let title = match self.status {
            StatusCode::UNAUTHORIZED => "The request carries no valid key.",
            StatusCode::FORBIDDEN => "The key may not do this.",
            StatusCode::TOO_MANY_REQUESTS => "The limit is used up.",
            StatusCode::SERVICE_UNAVAILABLE => "The request cannot be checked now.",
            _ => "The request is not valid.",
        };
        serde_json::json!({
            "type": format!("urn:keystead:problem:{}", self.code),
            "title": title,
            "status": self.status.as_u16(),
            "code": self.code,
            "detail": self.detail,
        })
        .to_string()
    }

    /// All that the client gets beside the body.
    #[must_use]
    pub fn headers(&self) -> Vec<(HeaderName, HeaderValue)> {
        let mut headers = self.to_client.clone();
        headers.extend(self.challenge().map(|value| (http::header::WWW_AUTHENTICATE, value)));
        headers.extend(self.retry_after_seconds.map(|value| (http::header::RETRY_AFTER, value.into())));
        headers.push((http::header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json")));
        headers.push((http::header::CACHE_CONTROL, HeaderValue::from_static("no-store")));
        headers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// LESSONS 9: a used-up limit is 429, not 401; LESSONS 6: strangers learn nothing.
    #[test]
    fn lesson_9_each_verdict_has_its_status_and_strangers_learn_nothing() {
        let status = |code| Refusal::of(code, None).status.as_u16();
        for code in Code::ALL {
            let wanted = match code {
                Code::RateLimited | Code::QuotaExceeded | Code::CreditsExhausted => 429,
                Code::Valid | Code::Unavailable => 503,
                Code::NetworkDenied | Code::OriginDenied | Code::EndpointDenied => 403,
                Code::InsufficientPermissions | Code::ConditionDenied => 403,
                _ => 401,
            };
            assert_eq!(status(code), wanted, "{code}");
            let refusal = Refusal::of(code, None);
            assert_eq!(refusal.challenge().is_some(), wanted == 401, "{code}");
            assert!(refusal.document().is_ascii());
        }
        assert_eq!(Refusal::of(Code::Malformed, None), Refusal::of(Code::WrongSecret, None));
        assert_eq!(Refusal::of(Code::NotFound, None), Refusal::of(Code::WrongSecret, None));
    }

    #[test]
    fn an_error_is_named_only_where_a_key_was_sent() {
        let none = Refusal::at_once(StatusCode::UNAUTHORIZED, "malformed", "No key.", false);
        assert_eq!(none.challenge().unwrap(), "Bearer realm=\"keystead\"");
        let sent = Refusal::of(Code::Revoked, None);
        assert_eq!(sent.challenge().unwrap(), "Bearer realm=\"keystead\", error=\"invalid_token\"");
    }
}
