//! What `POST /v1/verify` leaves behind

use crate::house::{House, on_both_engines};
use serde_json::json;

on_both_engines! {
    verifying_writes_nothing_and_use_is_seen_after_the_flush_lessons_11,
    what_was_seen_adds_up_over_restarts,
}

/// LESSONS 11: `last_used` written at every request amplifies writes.
async fn verifying_writes_nothing_and_use_is_seen_after_the_flush_lessons_11(mut house: House) {
    let key = house
        .admin
        .issue(json!({"permissions": ["zones.read"],
        "restrictions": {"networks": {"allow": ["192.0.2.0/24"]}}}))
        .await;
    house.settle().await;
    let (acts, audit, bytes) =
        (house.keystead.counters().acts(), house.admin.audit("").await, house.database_bytes());
    assert_eq!(bytes.is_empty(), !house.is_on_sqlite());
    let request = json!({"ip": "192.0.2.7", "user_agent": "curl/8", "method": "GET", "path": "/v1/zones",
        "permissions": "zones.read"});
    for _ in 0..20 {
        house.wait(1);
        assert_eq!(house.asker.code(&key, request.clone()).await, "valid");
        assert_eq!(house.asker.code(&key, json!({"ip": "198.51.100.7"})).await, "network_denied");
        house.asker.ask(&house.unknown_key(), json!({})).await;
    }
    assert!(house.database_bytes() == bytes, "verifying wrote to the database");
    assert_eq!(house.keystead.counters().acts(), acts);
    assert_eq!(house.admin.audit("").await, audit);
    assert_eq!(house.admin.show(&key).await["last_used_at"], json!(null));

    house.restart().await;
    let shown = house.admin.show(&key).await;
    let (first, last) = ("2026-01-01T00:00:01Z", "2026-01-01T00:00:20Z");
    let seen = |value: &str| json!({"value": value, "count": 20, "first_at": first, "last_at": last});
    assert_eq!(shown["last_used_at"], last);
    assert_eq!(
        shown["seen"],
        json!({
            "last_used_at": last,
            "last_refused_at": last,
            "passed": 20,
            "passed_unnamed": 0,
            "refused": 20,
            "networks": [seen("192.0.2.0/24"), seen("198.51.100.0/24")],
            "user_agents": [seen("curl/8")],
            "endpoints": [seen("GET /v1/zones")],
            "permissions": [seen("zones.read")],
        })
    );
    assert_eq!(house.admin.audit("").await, audit);
}

async fn what_was_seen_adds_up_over_restarts(mut house: House) {
    let key = house.admin.issue(json!({})).await;
    for round in 1..=3 {
        house.wait(60);
        for _ in 0..5 {
            house.asker.code(&key, json!({"ip": "192.0.2.7"})).await;
        }
        house.restart().await;
        let seen = house.admin.show(&key).await["seen"].clone();
        assert_eq!((&seen["passed"], &seen["networks"][0]["count"]), (&json!(5 * round), &json!(5 * round)));
        assert_eq!(seen["networks"][0]["first_at"], "2026-01-01T00:01:00Z");
    }
}
