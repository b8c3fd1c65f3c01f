//! `POST /v1/verify` of keys with credits

use crate::house::{House, on_both_engines};
use serde_json::json;

on_both_engines! {
    exactly_the_credits_are_spent_whatever_comes_at_once_lessons_8,
    costs_are_never_over_spent_lessons_8,
    edits_meanwhile_never_over_spend_lessons_8,
    a_graceful_stop_loses_none_lessons_8,
    credits_are_refilled_at_midnight,
}

/// LESSONS 8: a race between fallback and store over-spent.
async fn exactly_the_credits_are_spent_whatever_comes_at_once_lessons_8(house: House) {
    let key = house.admin.issue(json!({"credits": {"remaining": 75}})).await;
    let counts = house.asker.at_once(&[&key], 128, 32).await;
    assert_eq!((counts["valid"], counts["credits_exhausted"]), (75, 53), "{counts:?}");
    let shown = house.admin.show(&key).await;
    assert_eq!(shown["credits"]["remaining"], 0);
}

async fn costs_are_never_over_spent_lessons_8(mut house: House) {
    let key = house.admin.issue(json!({"credits": {"remaining": 100}})).await;
    let mut left = 100;
    for cost in [7, 30, 1, 50, 13, 12, 1, 0, 5] {
        let verdict = house.asker.ask(&key.key, json!({"cost": cost})).await;
        let expected = if cost <= left { "valid" } else { "credits_exhausted" };
        assert_eq!(verdict["code"], expected, "{cost} of {left}: {verdict}");
        if cost <= left {
            left -= cost;
        }
        assert_eq!(verdict["credits"]["remaining"], left, "after {cost}");
    }
    house.restart().await;
    assert_eq!(house.admin.show(&key).await["credits"]["remaining"], left);
    assert_eq!(left, 0);
}

/// LESSONS 8: what is leased must not be spent twice, by the key as it was and as it is.
async fn edits_meanwhile_never_over_spend_lessons_8(house: House) {
    let consumer = format!("/v1/projects/registry/consumers/{}", house.acme.consumer);
    house.admin.patch(&consumer, json!({"quota": {"limit": 500, "per": "day"}})).await.ok();
    let key = house.admin.issue(json!({"credits": {"remaining": 300}, "consumer": "customer-1"})).await;
    let edits = async {
        for number in 0..20 {
            let limits =
                json!({"limits": [{"name": format!("wide-{number}"), "limit": 1_000_000, "window": "1s"}]});
            house.admin.change(&key, limits.clone()).await;
            house.admin.patch(&consumer, limits).await.ok();
        }
    };
    let keys = [&key];
    let (counts, ()) = tokio::join!(house.asker.at_once(&keys, 400, 16), edits);
    let spent = counts["valid"];
    assert!(spent <= 300, "{counts:?}");
    // An edit may forfeit a block, never more.
    assert_eq!(counts.values().sum::<usize>(), 400, "{counts:?}");
}

/// LESSONS 8: a crash or restart lost thousands of decrements.
async fn a_graceful_stop_loses_none_lessons_8(mut house: House) {
    let key = house.admin.issue(json!({"credits": {"remaining": 50}})).await;
    for round in 1..=3 {
        for _ in 0..7 {
            assert_eq!(house.asker.bare(&key).await, "valid");
        }
        house.restart().await;
        assert_eq!(house.admin.show(&key).await["credits"]["remaining"], 50 - 7 * round);
    }
    let counts = house.asker.at_once(&[&key], 40, 8).await;
    assert_eq!((counts["valid"], counts["credits_exhausted"]), (29, 11), "{counts:?}");
}

async fn credits_are_refilled_at_midnight(house: House) {
    let key = house.admin.issue(json!({"credits": {"remaining": 2, "refill": "daily", "amount": 3}})).await;
    for code in ["valid", "valid", "credits_exhausted"] {
        assert_eq!(house.asker.bare(&key).await, code);
    }
    house.at("2026-01-01T23:59:30Z");
    let verdict = house.asker.ask(&key.key, json!({})).await;
    assert_eq!(
        (&verdict["code"], &verdict["retry_after_seconds"]),
        (&json!("credits_exhausted"), &json!(30))
    );
    house.wait(30);
    for code in ["valid", "valid", "valid", "credits_exhausted"] {
        assert_eq!(house.asker.bare(&key).await, code);
    }
}
