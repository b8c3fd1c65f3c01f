//! What a body may be, and that no refusal repeats it.

use super::*;
use keystead_api::{CreateKey, Verify};
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only its shape matters")]
struct Everything {
    #[serde(default)]
    text: String,
    #[serde(default)]
    number: u64,
    #[serde(default)]
    numbers: BTreeMap<String, u8>,
    #[serde(default)]
    list: Vec<Inner>,
    #[serde(default)]
    at: Option<keystead_api::Timestamp>,
    #[serde(default)]
    choice: Option<Choice>,
    #[serde(default)]
    either: Option<Either>,
}

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "only its shape matters")]
struct Inner {
    name: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Choice {
    One,
    Two,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
#[expect(dead_code, reason = "only its shape matters")]
enum Either {
    Number(u64),
    List(Vec<u64>),
}

fn refused(body: &str) -> ApiProblem {
    parse::<Everything>(body.as_bytes()).unwrap_err()
}

/// LESSONS 28 (CVE-2025-4166): errors disclosed request data.
#[test]
fn a_canary_secret_in_the_body_is_in_no_refusal() {
    const CANARY: &str = "sk_live_CANARY7";
    for body in [
        r#"{"number": "sk_live_CANARY7"}"#,
        r#"{"choice": "sk_live_CANARY7"}"#,
        r#"{"choice": {"sk_live_CANARY7": 1}}"#,
        r#"{"sk_live_CANARY7": 1}"#,
        r#"{"sk_live_CANARY7`, expected `text`": 1}"#,
        r#"{"text": {"sk_live_CANARY7": 1}}"#,
        r#"{"numbers": {"sk_live_CANARY7": 256}}"#,
        r#"{"numbers": {"sk_live_CANARY7": "x"}}"#,
        r#"{"list": ["sk_live_CANARY7"]}"#,
        r#"{"at": "sk_live_CANARY7"}"#,
        r#"{"either": "sk_live_CANARY7"}"#,
        r#"{"text": "sk_live_CANARY7"#,
        r#"{"text": sk_live_CANARY7}"#,
        r#"{"text": "sk_live_CANARY7", "text": "again"}"#,
        r#"{"text": "ok"} sk_live_CANARY7"#,
        r#"[5, "sk_live_CANARY7"]"#,
        r#""sk_live_CANARY7""#,
    ] {
        let problem = refused(body);
        let told =
            format!("{problem:?} {}", serde_json::to_string(&problem.document(String::new())).unwrap());
        assert!(!told.contains("CANARY") && !told.contains("sk_live"), "{body}: {told}");
        assert!(!told.contains(CANARY));
    }
    for body in [r#"{"key": 5, "ip": "CANARY"}"#, r#"{"key": "CANARY", "explain": "CANARY"}"#] {
        let told = format!("{:?}", parse::<Verify>(body.as_bytes()).unwrap_err());
        assert!(!told.contains("CANARY"), "{told}");
    }
}

#[test]
fn a_refusal_names_the_field_and_the_place() {
    let problem = refused(r#"{"list": [{"name": "a"}, {"name": 5}]}"#);
    assert_eq!(problem.code(), ProblemCode::InvalidField);
    assert_eq!(problem.field(), Some("/list/1/name"));
    assert_eq!(problem.detail(), "This is a whole number, not a string. (line 1, column 35)");
    let problem = refused("{\"list\": [{}]}");
    assert_eq!(problem.field(), Some("/list/0/name"));
    assert!(problem.detail().starts_with("The field `name` is missing."));
    let problem = refused("{\n\"txt\": \"\"}");
    assert_eq!(problem.field(), Some(""));
    let fix = problem.document(String::new()).fix;
    assert!(fix.starts_with("The fields here are `text`, `number`"), "{fix}");
    let problem = refused(r#"{"choice": "three"}"#);
    assert_eq!(problem.document(String::new()).fix, "Send `one` or `two`.");
    let problem = refused(r#"{"number": -1}"#);
    assert_eq!(problem.document(String::new()).fix, "Send a whole number that is not negative.");
    let problem = refused("{\"text\": \"a\",\n}");
    assert_eq!(problem.code(), ProblemCode::InvalidJson);
    assert_eq!(problem.detail(), "The body is not JSON: trailing comma (line 2, column 1).");
}

/// LESSONS 42 (CVE-2025-59043): JSON nesting.
#[test]
fn a_body_is_refused_when_it_is_too_deep() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(parse::<serde_json::Value>(nested(DEPTH_MAX).as_bytes()).is_ok());
    for body in [nested(DEPTH_MAX + 1), "[".repeat(1 << 20), "{\"a\":".repeat(100_000)] {
        let problem = parse::<serde_json::Value>(body.as_bytes()).unwrap_err();
        assert_eq!(problem.code(), ProblemCode::InvalidJson);
        assert!(problem.detail().contains("32 deep"));
    }
    let metadata =
        format!(r#"{{"name": "x", "environment": "e", "metadata": {{"a": {}}}}}"#, nested(DEPTH_MAX));
    assert!(parse::<CreateKey>(metadata.as_bytes()).unwrap_err().detail().contains("32 deep"));
}

#[test]
fn brackets_in_strings_are_not_depth() {
    let many = "[{".repeat(100);
    for body in [format!(r#""{many}""#), format!(r#""\"{many}\\""#), format!("[{}[]]", "[],".repeat(100))] {
        assert!(parse::<serde_json::Value>(body.as_bytes()).is_ok(), "{body}");
    }
}

#[tokio::test]
async fn another_type_or_none_is_refused_and_no_body_is_none() {
    let request = |kind: Option<&str>, body: &'static str| {
        let mut request = Request::new(Body::from(body));
        if let Some(kind) = kind {
            request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_str(kind).unwrap());
        }
        request
    };
    for kind in ["application/json", "Application/JSON ; charset=utf-8"] {
        let json = <Json<u8> as FromRequest<()>>::from_request(request(Some(kind), "5"), &()).await;
        assert_eq!(json.unwrap().0, 5);
    }
    for kind in [None, Some("text/plain"), Some("application/jsonp"), Some("application/json-seq"), Some("")]
    {
        let json = <Json<u8> as FromRequest<()>>::from_request(request(kind, "5"), &()).await;
        assert_eq!(json.unwrap_err().code(), ProblemCode::UnsupportedMediaType);
        let json = <Json<u8> as OptionalFromRequest<()>>::from_request(request(kind, "5"), &()).await;
        assert_eq!(json.unwrap_err().code(), ProblemCode::UnsupportedMediaType);
    }
    let json = <Json<u8> as OptionalFromRequest<()>>::from_request(request(None, ""), &()).await;
    assert!(json.unwrap().is_none());
}

/// Found by schemathesis: serde takes a list for a struct's fields in their order.
#[test]
fn a_list_is_no_object() {
    for body in ["[]", " \n[\"a text\", 1]", r#"{"list": [["a name"]]}"#] {
        let problem = refused(body).into_response();
        assert_eq!(problem.status(), 422, "{body}");
    }
    assert!(parse::<keystead_api::Guardrails>(br#"{"every_kind": []}"#).is_err());
    assert!(parse::<keystead_api::Guardrails>(br#"{"every_kind": {}}"#).is_ok());
    // Also where one of several forms is tried after the other.
    for (list, object) in [
        (r#"[["routes.read"]]"#, r#"{"all": ["routes.read"]}"#),
        (
            r#"{"any": [["routes.read", "networks/NET-7"]]}"#,
            r#"{"any": [{"permission": "routes.read", "resource": "networks/NET-7"}]}"#,
        ),
    ] {
        let verify =
            |query: &str| parse::<Verify>(format!(r#"{{"key": "a", "permissions": {query}}}"#).as_bytes());
        assert!(verify(list).is_err(), "{list}");
        assert!(verify(object).is_ok(), "{object}");
    }
    for (field, list) in
        [("permissions", r#"[["routes.read", ["**"]]]"#), ("roles", r#"[["reader", ["**"]]]"#)]
    {
        let body = format!(r#"{{"name": "a", "environment": "live", "{field}": {list}}}"#);
        assert!(parse::<CreateKey>(body.as_bytes()).is_err(), "{body}");
    }
}

/// Found by schemathesis: a `null` for what cannot be cleared was ignored.
#[test]
fn what_cannot_be_cleared_takes_no_null() {
    for body in [r#"{"name": null}"#, r#"{"permissions": null}"#, r#"{"tags": null}"#] {
        assert!(parse::<keystead_api::UpdateKey>(body.as_bytes()).is_err(), "{body}");
    }
    let cleared = parse::<keystead_api::UpdateKey>(br#"{"expires_at": null}"#).unwrap();
    assert_eq!(cleared.expires_at, Some(None));
}
