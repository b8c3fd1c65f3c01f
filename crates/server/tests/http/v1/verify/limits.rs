//! `POST /v1/verify` of keys with rate limits

use crate::house::{House, on_both_engines};
use serde_json::json;

on_both_engines! {
    exactly_the_limit_passes_whatever_comes_at_once,
    a_refused_request_takes_nothing_lessons_7,
    two_limits_count_apart_lessons_7,
    a_limit_refills_over_time,
    a_cost_is_taken_whole_or_not_at_all,
    a_limited_management_key_is_429_and_not_401_lessons_9,
}

async fn exactly_the_limit_passes_whatever_comes_at_once(house: House) {
    let key = house.admin.issue(json!({"limits": [{"name": "minute", "limit": 40, "window": "1m"}]})).await;
    let counts = house.asker.at_once(&[&key], 128, 32).await;
    assert_eq!((counts["valid"], counts["rate_limited"]), (40, 88));
}

/// LESSONS 7: a refused request had already consumed rate tokens.
async fn a_refused_request_takes_nothing_lessons_7(house: House) {
    let key = house.admin.issue(json!({
        "limits": [{"name": "narrow", "limit": 3, "window": "1m"}, {"name": "wide", "limit": 5, "window": "1h"}],
        "quota": {"limit": 100, "per": "day"},
        "credits": {"remaining": 50},
        "restrictions": {"networks": {"allow": ["192.0.2.0/24"]}},
        "permissions": ["zones.read"],
    })).await;
    let good = json!({"ip": "192.0.2.1", "permissions": "zones.read"});
    for (refused, code) in [
        (json!({"ip": "198.51.100.1"}), "network_denied"),
        (json!({"ip": "192.0.2.1", "permissions": "routes.read"}), "insufficient_permissions"),
        (json!({"ip": "192.0.2.1", "cost": 4}), "rate_limited"),
    ] {
        for _ in 0..20 {
            assert_eq!(house.asker.code(&key, refused.clone()).await, code);
        }
    }
    for _ in 0..3 {
        assert_eq!(house.asker.code(&key, good.clone()).await, "valid");
    }
    // The narrow limit refuses; the wide one, the quota and the credits are not touched by that.
    for _ in 0..20 {
        assert_eq!(house.asker.code(&key, good.clone()).await, "rate_limited");
    }
    let verdict = house.asker.ask(&key.key, good).await;
    let remaining = |index: usize| verdict["limits"][index]["remaining"].as_u64();
    assert_eq!((remaining(0), remaining(1)), (Some(0), Some(2)), "{verdict}");
    assert_eq!(
        (&verdict["quotas"][0]["remaining"], &verdict["credits"]["remaining"]),
        (&json!(97), &json!(47))
    );
}

/// LESSONS 7: two limits shared one counter.
async fn two_limits_count_apart_lessons_7(house: House) {
    let limits = json!([{"name": "second", "limit": 2, "window": "10s"}, {"name": "hour", "limit": 3, "window": "1h"}]);
    let key = house.admin.issue(json!({"limits": limits})).await;
    let twin = house.admin.issue(json!({"limits": limits})).await;
    for code in ["valid", "valid", "rate_limited"] {
        assert_eq!(house.asker.bare(&key).await, code);
    }
    house.wait(10);
    for code in ["valid", "rate_limited"] {
        assert_eq!(house.asker.bare(&key).await, code);
    }
    // Equal policies are shared between keys; what they count is not.
    assert_eq!(house.asker.bare(&twin).await, "valid");
}

async fn a_limit_refills_over_time(house: House) {
    let key = house
        .admin
        .issue(json!({"limits": [{"name": "minute", "limit": 6, "window": "1m", "burst": 2}]}))
        .await;
    for code in ["valid", "valid"] {
        assert_eq!(house.asker.bare(&key).await, code);
    }
    let verdict = house.asker.ask(&key.key, json!({})).await;
    assert_eq!((&verdict["code"], &verdict["retry_after_seconds"]), (&json!("rate_limited"), &json!(10)));
    let limit = json!({"name": "minute", "of": "key", "limit": 6, "window_seconds": 60, "remaining": 0, "retry_after_ms": 10_000});
    assert_eq!(verdict["limits"][0], limit);
    house.wait(9);
    assert_eq!(house.asker.bare(&key).await, "rate_limited");
    house.wait(1);
    for code in ["valid", "rate_limited"] {
        assert_eq!(house.asker.bare(&key).await, code);
    }
    house.wait(3_600);
    for code in ["valid", "valid", "rate_limited"] {
        assert_eq!(house.asker.bare(&key).await, code);
    }
}

async fn a_cost_is_taken_whole_or_not_at_all(house: House) {
    let key = house.admin.issue(json!({"limits": [{"name": "minute", "limit": 10, "window": "1m"}]})).await;
    for (cost, code) in
        [(7, "valid"), (4, "rate_limited"), (0, "valid"), (3, "valid"), (0, "valid"), (1, "rate_limited")]
    {
        assert_eq!(house.asker.code(&key, json!({"cost": cost})).await, code, "{cost}");
    }
    // What never fits is not promised for later.
    let verdict = house.asker.ask(&key.key, json!({"cost": 11})).await;
    assert_eq!((&verdict["code"], &verdict["retry_after_seconds"]), (&json!("rate_limited"), &json!(null)));
    let body = json!({"key": key.key, "cost": 1_000_001});
    house.asker.post("/v1/verify", body).await.wrong_field("invalid_field", "/cost");
}

/// LESSONS 9: rate-limited answered as 401.
async fn a_limited_management_key_is_429_and_not_401_lessons_9(house: House) {
    let limited = house
        .admin
        .issue_in(
            "keystead",
            json!({
                "permissions": ["projects.read"], "limits": [{"name": "minute", "limit": 2, "window": "1m"}],
            }),
        )
        .await;
    let limited = house.admin.with_key(&limited.key);
    for _ in 0..2 {
        limited.get("/v1/projects").await.ok();
    }
    for _ in 0..3 {
        let answer = limited.get("/v1/projects").await;
        assert_eq!(answer.headers["retry-after"], "30");
        answer.refused(429, "rate_limited");
    }
    limited.poke("/v1/whoami").await.refused(429, "rate_limited");
    // What it may not do stays 403, and takes nothing.
    limited.get("/v1/audit").await.refused(403, "forbidden");
    house.wait(30);
    limited.get("/v1/projects").await.ok();
}
