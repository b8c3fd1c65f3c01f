//! Which key is taken from a request, and what becomes of each verdict.

use super::*;
use axum::http::HeaderValue;
use axum::response::IntoResponse;

fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    let pair = |(name, value): &(&'static str, &'static str)| {
        (HeaderName::from_static(name), HeaderValue::from_static(value))
    };
    pairs.iter().map(pair).collect()
}

fn verdict(code: Code) -> Verification {
    let answer = serde_json::json!({
        "valid": code == Code::Valid, "code": code, "key_id": null, "project": null, "environment": null,
        "owner": null, "consumer": null, "permissions": [], "expires_at": null, "limits": [], "credits": null,
        "request_id": "req_1", "retry_after_seconds": (code == Code::RateLimited).then_some(7),
    });
    serde_json::from_value(answer).unwrap()
}

#[test]
fn one_key_in_either_place_is_taken_and_two_are_refused() {
    assert_eq!(key(&headers(&[("authorization", "bearer  abc ")])).unwrap(), "abc");
    assert_eq!(key(&headers(&[("x-api-key", "abc")])).unwrap(), "abc");
    let two = headers(&[("authorization", "Bearer abc"), ("x-api-key", "def")]);
    assert_eq!(key(&two).unwrap_err().code, "two_keys");
    assert_eq!(key(&headers(&[])).unwrap_err().code, "no_key");
}

#[test]
fn a_path_that_can_be_read_in_two_ways_is_refused() {
    assert_eq!(resource("/v1/networks/NET-7").unwrap(), "networks/NET-7");
    for path in [
        "/v1/networks/NET%2D7",
        "/v1/networks/NET-7;a",
        "/v1/networks/N\\7",
        "/networks/NET-7",
        "/v1/networks/..",
        "/v1//",
    ] {
        assert_eq!(resource(path).unwrap_err().code, "ambiguous_path", "{path}");
    }
}

#[test]
fn every_verdict_has_its_answer_and_none_passes() {
    for code in Code::ALL {
        let answer = refusal(&verdict(code), "routes.write", "networks/NET-7").into_response();
        let expected = match code {
            Code::Valid | Code::Unavailable => 503,
            Code::NetworkDenied | Code::OriginDenied | Code::EndpointDenied => 403,
            Code::ConditionDenied | Code::InsufficientPermissions => 403,
            Code::RateLimited | Code::QuotaExceeded | Code::CreditsExhausted => 429,
            _ => 401,
        };
        assert_eq!(answer.status().as_u16(), expected, "{code}");
        assert!(expected != 401 || answer.headers().contains_key(header::WWW_AUTHENTICATE), "{code}");
        assert!(expected != 503 || answer.headers().contains_key(header::RETRY_AFTER), "{code}");
    }
    let limited = refusal(&verdict(Code::RateLimited), "routes.write", "networks/NET-7").into_response();
    assert_eq!(limited.headers()[header::RETRY_AFTER], "7");
}
