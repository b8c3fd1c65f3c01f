//! Who still uses the old key, from where, since when: `rotation` of `GET /v1/keys/{id}`

use crate::house::{House, on_both_engines};
use serde_json::json;

on_both_engines! {
    who_still_uses_the_old_key_is_shown_while_it_drains,
    use_after_the_end_is_recorded_apart,
}

async fn who_still_uses_the_old_key_is_shown_while_it_drains(mut house: House) {
    let old = house.admin.issue(json!({})).await;
    let request =
        |ip: &str, agent: &str| json!({"ip": ip, "user_agent": agent, "method": "GET", "path": "/v1/zones"});
    // Before the rotation, and through the new key: neither is use of an old one.
    house.asker.ask(&old.key, request("203.0.113.1", "before/1")).await;
    let new = house.admin.rotate(&old, json!({"grace_seconds": 600})).await;
    house.asker.ask(&new.key, request("203.0.113.2", "new/1")).await;
    for _ in 1..=3 {
        house.wait(1);
        house.asker.ask(&old.key, request("192.0.2.7", "cron/1")).await;
    }
    house.restart().await;
    for key in [&old, &new] {
        let seen = house.admin.show(key).await["rotation"]["old_key_use"].clone();
        let sighting = |value: &str| {
            json!([{"value": value, "count": 3,
            "first_at": "2026-01-01T00:00:01Z", "last_at": "2026-01-01T00:00:03Z"}])
        };
        assert_eq!((&seen["passed"], &seen["last_used_at"]), (&json!(3), &json!("2026-01-01T00:00:03Z")));
        assert_eq!(seen["networks"], sighting("192.0.2.0/24"));
        assert_eq!(seen["user_agents"], sighting("cron/1"));
        assert_eq!(seen["endpoints"], sighting("GET /v1/zones"));
    }
    // The lineage's own sight is whole.
    assert_eq!(house.admin.show(&new).await["seen"]["passed"], 5);
}

async fn use_after_the_end_is_recorded_apart(mut house: House) {
    let old = house.admin.issue(json!({})).await;
    let new = house.admin.rotate(&old, json!({"grace_seconds": 10})).await;
    house.asker.bare(&old).await;
    house.wait(10);
    for _ in 0..2 {
        let verdict = house.asker.ask(&old.key, json!({"ip": "198.51.100.9", "user_agent": "old/1"})).await;
        assert_eq!(verdict["detail"], "rotated");
    }
    house.restart().await;
    let rotation = house.admin.show(&new).await["rotation"].clone();
    assert_eq!(
        (&rotation["old_key_use"]["passed"], &rotation["old_key_use"]["refused"]),
        (&json!(1), &json!(0))
    );
    let reuse = &rotation["reuse"];
    assert_eq!((&reuse["refused"], &reuse["passed"]), (&json!(2), &json!(0)));
    assert_eq!(
        (&reuse["networks"][0]["value"], &reuse["user_agents"][0]["value"]),
        (&json!("198.51.100.0/24"), &json!("old/1"))
    );
    assert_eq!(reuse["last_refused_at"], "2026-01-01T00:00:10Z");
}
