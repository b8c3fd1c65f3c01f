//! `POST /v1/verify` of keys with quotas

use crate::house::{House, on_both_engines};
use serde_json::json;

on_both_engines! {
    a_quota_ends_with_its_period_in_its_time_zone,
    exactly_the_quota_passes_whatever_comes_at_once,
    what_was_used_stays_used_after_a_restart,
    a_clock_that_steps_back_gives_nothing_away,
}

async fn a_quota_ends_with_its_period_in_its_time_zone(house: House) {
    let key =
        house.admin.issue(json!({"quota": {"limit": 2, "per": "month", "time_zone": "Asia/Tokyo"}})).await;
    house.at("2026-01-31T14:59:50Z");
    let verdict = house.asker.ask(&key.key, json!({})).await;
    let quota =
        json!({"of": "key", "limit": 2, "per": "month", "remaining": 1, "resets_at": "2026-01-31T15:00:00Z"});
    assert_eq!((&verdict["code"], &verdict["quotas"]), (&json!("valid"), &json!([quota])));
    assert_eq!(house.asker.bare(&key).await, "valid");
    let verdict = house.asker.ask(&key.key, json!({})).await;
    assert_eq!((&verdict["code"], &verdict["retry_after_seconds"]), (&json!("quota_exceeded"), &json!(10)));
    house.wait(9);
    assert_eq!(house.asker.bare(&key).await, "quota_exceeded");
    house.wait(1);
    for code in ["valid", "valid", "quota_exceeded"] {
        assert_eq!(house.asker.bare(&key).await, code);
    }
}

async fn exactly_the_quota_passes_whatever_comes_at_once(house: House) {
    let key = house.admin.issue(json!({"quota": {"limit": 60, "per": "day"}})).await;
    let counts = house.asker.at_once(&[&key], 96, 32).await;
    assert_eq!((counts["valid"], counts["quota_exceeded"]), (60, 36), "{counts:?}");
}

async fn what_was_used_stays_used_after_a_restart(mut house: House) {
    let key = house.admin.issue(json!({"quota": {"limit": 30, "per": "day"}})).await;
    for _ in 0..10 {
        assert_eq!(house.asker.bare(&key).await, "valid");
    }
    house.restart().await;
    assert_eq!(house.admin.show(&key).await["quota_status"][0]["remaining"], 20);
    let counts = house.asker.at_once(&[&key], 32, 8).await;
    assert_eq!((counts["valid"], counts["quota_exceeded"]), (20, 12), "{counts:?}");
}

async fn a_clock_that_steps_back_gives_nothing_away(house: House) {
    let key = house.admin.issue(json!({"quota": {"limit": 3, "per": "hour"}})).await;
    for code in ["valid", "valid", "valid", "quota_exceeded"] {
        assert_eq!(house.asker.bare(&key).await, code);
    }
    house.wait(-3_600);
    assert_eq!(house.asker.bare(&key).await, "quota_exceeded");
    house.wait(7_200);
    assert_eq!(house.asker.bare(&key).await, "valid");
}
