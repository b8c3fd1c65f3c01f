//! What clients are told.

use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, Response, StatusCode};
use keystead_api::Code;
use serde_json::{Map, Value};

const KEY_FIX: &str = "Send one valid key of this API, once.";
const ISSUER_FIX: &str = "Ask whoever issued it.";
const OTHER_FIX: &str = "Use another key.";
const LATER_FIX: &str = "Try again later.";

/// Why a request does not pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    /// It carries no key.
    Unauthenticated,
    /// The verdict, or what stands for it.
    Verdict(Code),
    /// A verdict that this version does not know.
    Unknown,
}

/// The answer to a request that may not pass.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) reason: Reason,
    pub(super) request_id: String,
    pub(super) retry_after_seconds: Option<u64>,
}

impl From<Reason> for Refusal {
    fn from(reason: Reason) -> Self {
        Self { reason, request_id: String::new(), retry_after_seconds: None }
    }
}

struct Told {
    status: StatusCode,
    code: &'static str,
    detail: &'static str,
    fix: &'static str,
}

impl Refusal {
    /// A problem document (RFC 9457), with the headers that belong to its status.
    pub(super) fn response<R: From<String>>(&self, realm: &str) -> Response<R> {
        let told = told(self.reason);
        let mut document = Map::new();
        document.insert("type".to_owned(), format!("urn:keystead:problem:{}", told.code).into());
        document.insert("title".to_owned(), told.detail.into());
        document.insert("status".to_owned(), told.status.as_u16().into());
        document.insert("code".to_owned(), told.code.into());
        document.insert("detail".to_owned(), told.detail.into());
        document.insert("fix".to_owned(), told.fix.into());
        if !self.request_id.is_empty() {
            document.insert("request_id".to_owned(), self.request_id.as_str().into());
        }
        let mut response = Response::new(R::from(Value::Object(document).to_string()));
        *response.status_mut() = told.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if told.status == StatusCode::UNAUTHORIZED {
            let error =
                if self.reason == Reason::Unauthenticated { "" } else { r#", error="invalid_token""# };
            // The realm was checked, so this is always a header's value.
            if let Ok(challenge) = HeaderValue::try_from(format!(r#"Bearer realm="{realm}"{error}"#)) {
                headers.insert(WWW_AUTHENTICATE, challenge);
            }
        }
        if let Some(seconds) = self.wait(told.status) {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        response
    }

    fn wait(&self, status: StatusCode) -> Option<u64> {
        let known = self.retry_after_seconds.map(|seconds| seconds.max(1));
        match status {
            StatusCode::SERVICE_UNAVAILABLE => Some(known.unwrap_or(1)),
            StatusCode::TOO_MANY_REQUESTS => known,
            _ => None,
        }
    }
}

/// `wrong_secret` is told as `not_found`: whether an id exists is not for strangers.
fn told(reason: Reason) -> Told {
    let (status, code, detail, fix) = match reason {
        Reason::Unauthenticated => (401, "unauthenticated", "The request carries no key.", KEY_FIX),
        Reason::Unknown => (403, "unknown", "This key may not be used for this request.", ISSUER_FIX),
        Reason::Verdict(code) => {
            let (status, detail, fix) = told_of(code);
            let code = match code {
                Code::WrongSecret => Code::NotFound,
                // It refused, so it is not that.
                Code::Valid => Code::Unavailable,
                code => code,
            };
            (status, code.as_str(), detail, fix)
        }
    };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    Told { status, code, detail, fix }
}

fn told_of(code: Code) -> (u16, &'static str, &'static str) {
    match code {
        Code::Malformed => (401, "The request does not carry one well-formed key.", KEY_FIX),
        Code::NotFound | Code::WrongSecret => (401, "This key is not known here.", KEY_FIX),
        Code::Disabled => (401, "This key is switched off.", ISSUER_FIX),
        Code::Revoked => (401, "This key was revoked.", OTHER_FIX),
        Code::Expired => (401, "This key has expired.", OTHER_FIX),
        Code::NotYetValid => (401, "This key is not valid yet.", "Try again when it is."),
        Code::Suspended => (401, "This key is suspended.", ISSUER_FIX),
        Code::NetworkDenied => (403, "This key may not be used from this address.", ISSUER_FIX),
        Code::OriginDenied => (403, "This key may not be used from this origin.", ISSUER_FIX),
        Code::EndpointDenied => (403, "This key may not be used for this request.", ISSUER_FIX),
        Code::InsufficientPermissions => {
            (403, "This key may not do this.", "Ask whoever issued it for the permission.")
        }
        Code::ConditionDenied => (403, "This key may not be used now or so.", ISSUER_FIX),
        Code::RateLimited => (429, "This key was used too often.", LATER_FIX),
        Code::QuotaExceeded => (429, "This key's quota is used up.", LATER_FIX),
        Code::CreditsExhausted => (429, "This key's credits are used up.", ISSUER_FIX),
        Code::Valid | Code::Unavailable => {
            (503, "Whether this request may pass cannot be known now.", "Try again in a moment.")
        }
    }
}
