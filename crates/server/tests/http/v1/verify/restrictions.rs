//! `POST /v1/verify` of restricted keys: each kind of restriction, alone

use crate::house::{House, on_both_engines};
use serde_json::{Value, json};

on_both_engines! {
    networks,
    origins,
    endpoints,
    hours_follow_their_time_zone,
    absent_input_never_helps,
    checks_run_in_the_documented_order,
}

/// Issues a key with a restriction, and asks it each of these.
async fn check(house: &House, restriction: Value, asked: &[(Value, bool)], denied: &str) {
    let key = house.admin.issue(json!({"restrictions": restriction})).await;
    for (request, passes) in asked {
        let code = house.asker.code(&key, request.clone()).await;
        assert_eq!(code, if *passes { "valid" } else { denied }, "{request} under {restriction}");
        // An explanation says the same.
        let mut explained = request.clone();
        explained["explain"] = json!(true);
        assert_eq!(house.asker.code(&key, explained).await, code, "explained: {request}");
    }
}

async fn networks(house: House) {
    let ip = |ip: &str| json!({"ip": ip});
    let rules = json!({"networks": {"allow": ["192.0.2.0/24", "2001:db8::/32"], "deny": ["192.0.2.13"]}});
    let asked = [
        (ip("192.0.2.1"), true),
        (ip("192.0.2.13"), false),
        (ip("192.0.3.1"), false),
        (ip("2001:db8:7::1"), true),
        (ip("2001:db9::1"), false),
        // The same address, written as IPv6: it must neither escape a denial nor miss an allowance.
        (ip("::ffff:192.0.2.1"), true),
        (ip("::ffff:192.0.2.13"), false),
    ];
    check(&house, rules, &asked, "network_denied").await;
    let deny = json!({"networks": {"deny": ["198.51.100.0/24"]}});
    check(&house, deny, &[(ip("198.51.100.1"), false), (ip("203.0.113.1"), true)], "network_denied").await;
}

async fn origins(house: House) {
    let origin = |origin: &str| json!({"origin": origin});
    let rules = json!({"origins": ["https://app.example.com", "https://*.example.net:8443"]});
    let asked = [
        (origin("https://app.example.com"), true),
        (origin("https://APP.example.com:443"), true),
        (origin("http://app.example.com"), false),
        (origin("https://app.example.com.evil.test"), false),
        (origin("https://example.com"), false),
        (origin("https://a.example.net:8443"), true),
        (origin("https://a.example.net"), false),
        (origin("https://evilexample.net:8443"), false),
        (origin("null"), false),
    ];
    check(&house, rules, &asked, "origin_denied").await;
}

/// With LESSONS 19 and 29: an ambiguous path matches nothing.
async fn endpoints(house: House) {
    let call = |method: &str, path: &str| json!({"method": method, "path": path});
    let rules = json!({"endpoints": [{"methods": ["GET"], "path": "/v1/zones/*"}, {"path": "/open/**"}]});
    let asked = [
        (call("GET", "/v1/zones/7"), true),
        (call("POST", "/v1/zones/7"), false),
        (call("GET", "/v1/zones"), false),
        (call("GET", "/v1/zones/7/records"), false),
        (call("DELETE", "/open/a/b"), true),
        (call("GET", "/open/../v1/admin"), false),
        (call("GET", "/open/%2e%2e/v1/admin"), false),
        (call("GET", "/open/a%2fb"), false),
        (call("GET", "/open//a"), false),
        (call("GET", "/open/a;b"), false),
        (json!({"path": "/open/a"}), false),
    ];
    check(&house, rules, &asked, "endpoint_denied").await;
}

async fn hours_follow_their_time_zone(house: House) {
    let hours = json!({"hours": {"time_zone": "Europe/Berlin", "weekly": [
        {"days": ["thu"], "from": "08:00", "to": "18:00"},
        {"days": ["fri"], "from": "22:00", "to": "02:00"},
    ]}});
    let key = house.admin.issue(json!({"restrictions": hours})).await;
    for (instant, code) in [
        ("2026-01-01T06:59:59Z", "condition_denied"),
        ("2026-01-01T07:00:00Z", "valid"),
        ("2026-01-01T16:59:59Z", "valid"),
        ("2026-01-01T17:00:00Z", "condition_denied"),
        ("2026-01-02T21:00:00Z", "valid"),
        ("2026-01-03T00:59:59Z", "valid"),
        ("2026-01-03T01:00:00Z", "condition_denied"),
        // Summer time: an hour earlier.
        ("2026-07-02T06:00:00Z", "valid"),
        ("2026-07-02T05:59:59Z", "condition_denied"),
    ] {
        house.at(instant);
        assert_eq!(house.asker.bare(&key).await, code, "{instant}");
    }
}

async fn absent_input_never_helps(house: House) {
    for (restriction, denied) in [
        (json!({"networks": {"deny": ["192.0.2.0/24"]}}), "network_denied"),
        (json!({"origins": ["https://*.example.com"]}), "origin_denied"),
        (json!({"endpoints": [{"path": "/**"}]}), "endpoint_denied"),
    ] {
        check(&house, restriction, &[(json!({}), false)], denied).await;
    }
}

async fn checks_run_in_the_documented_order(house: House) {
    let key = house
        .admin
        .issue(json!({
            "restrictions": {
                "networks": {"allow": ["192.0.2.0/24"]},
                "origins": ["https://a.example"],
                "endpoints": [{"path": "/a"}],
                "hours": {"time_zone": "UTC", "weekly": [{"days": ["fri"], "from": "00:00", "to": "24:00"}]},
            },
            "limits": [{"name": "once", "limit": 1, "window": "31d"}],
            "quota": {"limit": 1, "per": "month"},
            "credits": {"remaining": 1},
            "permissions": ["zones.read"],
            "not_before": "2026-01-01T00:00:10Z",
        }))
        .await;
    house.admin.turn(&key, "disable", None).await;
    let mut request = json!({"permissions": "routes.read"});
    let asker = &house.asker;
    assert_eq!(asker.code(&key, request.clone()).await, "disabled");
    house.admin.turn(&key, "suspend", Some(json!({"until": "2026-01-01T00:00:05Z"}))).await;
    assert_eq!(asker.code(&key, request.clone()).await, "disabled");
    house.admin.turn(&key, "enable", None).await;
    house.admin.turn(&key, "suspend", Some(json!({"until": "2026-01-01T00:00:05Z"}))).await;
    assert_eq!(asker.code(&key, request.clone()).await, "suspended");
    house.wait(5);
    assert_eq!(asker.code(&key, request.clone()).await, "not_yet_valid");
    house.wait(5);
    for (field, value, before) in [
        ("ip", "192.0.2.1", "network_denied"),
        ("origin", "https://a.example", "origin_denied"),
        ("path", "/a", "endpoint_denied"),
        ("method", "GET", "endpoint_denied"),
        ("permissions", "zones.read", "insufficient_permissions"),
    ] {
        assert_eq!(asker.code(&key, request.clone()).await, before);
        request[field] = json!(value);
    }
    assert_eq!(asker.code(&key, request.clone()).await, "condition_denied");
    house.at("2026-01-02T12:00:00Z");
    assert_eq!(asker.code(&key, request.clone()).await, "valid");
    assert_eq!(asker.code(&key, request.clone()).await, "rate_limited");
    house.admin.change(&key, json!({"limits": []})).await;
    assert_eq!(asker.code(&key, request.clone()).await, "quota_exceeded");
    house.admin.change(&key, json!({"quota": null})).await;
    assert_eq!(asker.code(&key, request.clone()).await, "credits_exhausted");
    house.admin.change(&key, json!({"credits": null})).await;
    assert_eq!(asker.code(&key, request.clone()).await, "valid");
}
