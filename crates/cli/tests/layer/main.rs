//! The Rust SDK's layer: every case of `sdks/cases` from a socket through a real axum application to a real server.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test's helpers fail by panicking"
)]

mod answers;
mod app;
mod fake;
mod house;
mod life;
#[path = "../guard/wire.rs"]
mod wire;

use app::{READ, Stage, WRITE, document, guard, needs, tell, whole};
use axum::Router;
use axum::routing::{any, get, put};
use fake::Fake;
use house::{House, cases};
use keystead_sdk::layer::GuardBuilder;
use serde_json::Value;
use std::collections::HashMap;
use wire::{Message, send};

const PLAIN: &str = r#"Bearer realm="api""#;
const INVALID: &str = r#"Bearer realm="api", error="invalid_token""#;

/// The three guards of the cases.
fn guards(house: &House) -> [(&'static str, GuardBuilder); 3] {
    let plain = || guard(&house.url, &house.guard);
    [
        ("plain", plain()),
        ("proxied", plain().trusted_proxies(["127.0.0.0/8"])),
        ("places", plain().credentials(["X-API-Key"])),
    ]
}

/// What is wrong with an answer.
fn wrong(house: &House, case: &Value, answer: &Message) -> Option<&'static str> {
    if u64::from(answer.status()) != case["status"] {
        return Some("status");
    }
    let challenge = match case["challenge"].as_str() {
        None => None,
        Some("plain") => Some(PLAIN),
        Some(_) => Some(INVALID),
    };
    if answer.header("www-authenticate") != challenge {
        return Some("challenge");
    }
    let after = answer.header("retry-after").map(|seconds| seconds.parse::<u64>().unwrap());
    if after.is_some() != (case["retry_after"] == true) || after == Some(0) {
        return Some("Retry-After");
    }
    let text = String::from_utf8_lossy(&answer.body);
    if house.keys.values().any(|key| text.contains(key)) {
        return Some("a key is told");
    }
    if answer.status() == 200 {
        let said = document(answer);
        let is_its = said["key_id"] == house.ids[case["key"].as_str().unwrap()].as_str();
        return (!is_its || said["valid"] != true).then_some("identity");
    }
    let code = case["code"].as_str().filter(|_| case["method"] != "HEAD")?;
    let said = document(answer);
    let named = said["code"] == code && said["type"] == format!("urn:keystead:problem:{code}");
    if !named || said["status"] != case["status"] {
        return Some("document");
    }
    if answer.header("content-type") != Some("application/problem+json")
        || answer.header("cache-control") != Some("no-store")
    {
        return Some("headers");
    }
    let told = ["type", "title", "status", "code", "detail", "fix", "request_id"];
    if said.as_object().unwrap().keys().any(|name| !told.contains(&name.as_str())) {
        return Some("more is told");
    }
    house.ids.values().any(|id| text.contains(id)).then_some("an id is told")
}

/// Tries every case that `takes` leaves in, and tells all that is wrong at once.
fn try_all(house: &House, ports: &HashMap<&str, u16>, takes: impl Fn(&Value) -> bool) {
    let table = cases("requests");
    let table: Vec<&Value> = table.as_array().unwrap().iter().filter(|case| takes(case)).collect();
    assert!(table.len() > 60, "{}", table.len());
    let mut wrongs = Vec::new();
    for case in table {
        let headers: Vec<(String, String)> = (case["headers"].as_array().unwrap().iter())
            .map(|pair| (pair[0].as_str().unwrap().to_owned(), house.filled(pair[1].as_str().unwrap())))
            .collect();
        let headers: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let path = house.filled(case["path"].as_str().unwrap());
        let port = ports[case["app"].as_str().unwrap()];
        let answer = send(port, case["method"].as_str().unwrap(), &path, &headers, b"");
        if let Some(what) = wrong(house, case, &answer) {
            wrongs.push(format!("{}: {what}: {answer:?}", case["name"]));
        }
    }
    assert!(wrongs.is_empty(), "{} wrong:\n{}", wrongs.len(), wrongs.join("\n"));
}

#[test]
fn requests_to_a_guarded_application() {
    let (house, stage) = (House::start(), Stage::new());
    let ports = guards(&house).map(|(name, guard)| (name, stage.serve(whole(&guard.pass_preflight()))));
    try_all(&house, &HashMap::from(ports), |_| true);
}

#[test]
fn requests_to_guarded_endpoints() {
    let (house, stage) = (House::start(), Stage::new());
    let ports = guards(&house).map(|(name, guard)| {
        let guard = guard.build().unwrap();
        let routes = get(tell).layer(guard.require(READ)).merge(put(tell).layer(guard.require(WRITE)));
        let router = Router::new()
            .route("/v1/routes", routes)
            .route("/v1/{*rest}", any(tell).layer(guard.require_for(needs)));
        (name, stage.serve(router))
    });
    try_all(&house, &HashMap::from(ports), |case| case["level"] != "app");
}

#[test]
fn addresses_of_requests() {
    let (fake, stage) = (Fake::saying(fake::valid()), Stage::new());
    for case in cases("addresses").as_array().unwrap() {
        let texts = |name: &str| -> Vec<String> {
            case[name].as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
        };
        let peer = case["peer"].as_str().unwrap().split('%').next().unwrap().parse().ok();
        let built = guard(&fake.url, "own").trusted_proxies(texts("trusted")).peer(move |_| peer);
        let port = stage.serve(whole(&built));
        let forwarded = texts("forwarded");
        let mut headers = vec![("X-API-Key", "acme_live_key")];
        headers.extend(forwarded.iter().map(|line| ("X-Forwarded-For", line.as_str())));
        let answer = send(port, "GET", "/v1/routes", &headers, b"");
        assert_eq!(answer.status(), 200, "{case}");
        let asked = fake.take();
        assert_eq!(asked.len(), 1, "{case}");
        assert_eq!(document(&asked[0])["ip"], case["is"], "{case}");
    }
}
