//! What is limited follows the lineage through `POST /v1/keys/{id}/rotate` (LESSONS 3)

use crate::house::{House, on_both_engines};
use serde_json::json;

on_both_engines! {
    lesson_3_credits_are_not_doubled,
    lesson_3_rate_limits_are_not_restarted,
    lesson_3_a_quota_is_not_restarted,
    lesson_3_counters_go_on_through_many_rotations_and_restarts,
    lesson_3_a_change_of_limits_holds_for_both_keys,
}

/// LESSONS 3: rotation copied remaining credits to both keys.
async fn lesson_3_credits_are_not_doubled(mut house: House) {
    let old = house.admin.issue(json!({"credits": {"remaining": 60}})).await;
    for _ in 0..10 {
        assert_eq!(house.asker.bare(&old).await, "valid");
    }
    let new = house.admin.rotate(&old, json!({})).await;
    let counts = house.asker.at_once(&[&old, &new], 40, 16).await;
    assert_eq!(counts["valid"], 40, "{counts:?}");
    // A stop in order gives back what was leased.
    house.restart().await;
    for key in [&old, &new] {
        assert_eq!(house.admin.show(key).await["credits"]["remaining"], 10);
    }
    let counts = house.asker.at_once(&[&old, &new], 40, 16).await;
    assert_eq!((counts["valid"], counts["credits_exhausted"]), (10, 30), "{counts:?}");
}

/// LESSONS 3: rotation restarted rate counters.
async fn lesson_3_rate_limits_are_not_restarted(house: House) {
    let limits =
        json!([{"name": "hour", "limit": 10, "window": "1h"}, {"name": "day", "limit": 100, "window": "1d"}]);
    for limits in [json!([limits[0]]), limits] {
        let old = house.admin.issue(json!({"limits": limits})).await;
        for _ in 0..6 {
            assert_eq!(house.asker.bare(&old).await, "valid");
        }
        let new = house.admin.rotate(&old, json!({})).await;
        let counts = house.asker.at_once(&[&old, &new], 20, 8).await;
        assert_eq!((counts["valid"], counts["rate_limited"]), (4, 16), "{counts:?}");
        house.admin.turn(&old, "rotate/complete", None).await;
        assert_eq!(house.asker.bare(&new).await, "rate_limited");
    }
}

/// LESSONS 3: AWS usage plans reset quotas on rotation.
async fn lesson_3_a_quota_is_not_restarted(house: House) {
    let old = house.admin.issue(json!({"quota": {"limit": 20, "per": "day"}})).await;
    for _ in 0..5 {
        assert_eq!(house.asker.bare(&old).await, "valid");
    }
    let new = house.admin.rotate(&old, json!({})).await;
    let counts = house.asker.at_once(&[&old, &new], 40, 8).await;
    assert_eq!((counts["valid"], counts["quota_exceeded"]), (15, 25), "{counts:?}");
}

async fn lesson_3_counters_go_on_through_many_rotations_and_restarts(mut house: House) {
    let body =
        json!({"credits": {"remaining": 30}, "limits": [{"name": "day", "limit": 1_000, "window": "1d"}]});
    let mut key = house.admin.issue(body).await;
    let first = key.clone();
    for round in 1..=5 {
        let next = house.admin.rotate(&key, json!({})).await;
        for key in [&key, &next] {
            assert_eq!(house.asker.bare(key).await, "valid");
        }
        house.admin.turn(&next, "rotate/complete", None).await;
        house.admin.revoke(&key).await;
        // The lineage outlives its first key.
        house.admin.delete(&key.path()).await.gone();
        house.restart().await;
        assert_eq!(house.admin.show(&next).await["credits"]["remaining"], 30 - 2 * round);
        key = next;
    }
    house.admin.get(&first.path()).await.refused(404, "not_found");
    let counts = house.asker.at_once(&[&key], 30, 8).await;
    assert_eq!((counts["valid"], counts["credits_exhausted"]), (20, 10), "{counts:?}");
    // What was seen is the lineage's too.
    house.restart().await;
    assert_eq!(house.admin.show(&key).await["seen"]["passed"], 30);
}

async fn lesson_3_a_change_of_limits_holds_for_both_keys(house: House) {
    let limit = |count: u32| json!([{"name": "hour", "limit": count, "window": "1h"}]);
    for edit_old in [true, false] {
        let old = house.admin.issue(json!({"limits": limit(10), "permissions": ["zones.read"]})).await;
        let new = house.admin.rotate(&old, json!({})).await;
        house.admin.change(&new, json!({"permissions": ["routes.read"]})).await;
        for _ in 0..4 {
            assert_eq!(house.asker.bare(&old).await, "valid");
        }
        house.admin.change(if edit_old { &old } else { &new }, json!({"limits": limit(6)})).await;
        for key in [&old, &new] {
            assert_eq!(house.admin.show(key).await["limits"], limit(6));
        }
        let counts = house.asker.at_once(&[&old, &new], 20, 8).await;
        // Four of ten an hour are 24 minutes of 60: of six an hour, three are left.
        assert_eq!((counts["valid"], counts["rate_limited"]), (3, 17), "{counts:?}");
        // Only what is limited is shared.
        assert_eq!(house.admin.show(&new).await["permissions"], json!(["routes.read"]));
        assert_eq!(house.admin.show(&old).await["permissions"], json!(["zones.read"]));
    }
    let old = house.admin.issue(json!({"credits": {"remaining": 100}})).await;
    let new = house.admin.rotate(&old, json!({})).await;
    house.asker.bare(&old).await;
    house.admin.change(&new, json!({"credits": {"remaining": 12}})).await;
    let counts = house.asker.at_once(&[&old, &new], 40, 8).await;
    assert_eq!((counts["valid"], counts["credits_exhausted"]), (12, 28), "{counts:?}");
}
