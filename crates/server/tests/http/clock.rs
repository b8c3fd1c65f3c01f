//! A clock that jumps: what holds when it steps back an hour, and forward a year

use crate::house::{House, on_both_engines};
use serde_json::json;

on_both_engines! {
    an_hour_back_revives_nothing_and_gives_nothing_away,
    a_year_forward_ends_what_ends_and_refills_once,
    rotations_and_minted_keys_hold_an_hour_back,
    rotations_and_minted_keys_hold_a_year_forward,
    guardrails_measure_from_the_clock_as_it_is,
}

const HOUR: i64 = 3_600;
const YEAR: i64 = 365 * 86_400;

async fn an_hour_back_revives_nothing_and_gives_nothing_away(mut house: House) {
    let limited =
        house.admin.issue(json!({"limits": [{"name": "requests", "limit": 2, "window": "1m"}]})).await;
    let counted = house.admin.issue(json!({"quota": {"limit": 2, "per": "hour"}})).await;
    let paid = house.admin.issue(json!({"credits": {"remaining": 2, "refill": "daily"}})).await;
    let revoked = house.admin.issue(json!({})).await;
    let passing = house.admin.issue(json!({"expires_at": "2026-01-01T01:00:00Z"})).await;
    for key in [&limited, &counted, &paid] {
        for _ in 0..2 {
            assert_eq!(house.asker.bare(key).await, "valid");
        }
    }
    house.admin.turn(&revoked, "revoke", Some(json!({"reason": "leaked"}))).await;

    for restarted in [false, true] {
        if restarted {
            house.restart().await;
        } else {
            house.wait(-HOUR);
        }
        assert_eq!(house.asker.bare(&revoked).await, "revoked");
        assert_eq!(house.asker.bare(&counted).await, "quota_exceeded");
        assert_eq!(house.asker.bare(&paid).await, "credits_exhausted");
        // Validity follows the clock, in either direction.
        assert_eq!(house.asker.bare(&passing).await, "valid");
        // Acts go on, and what they make works.
        let made = house.admin.issue(json!({})).await;
        assert_eq!(house.asker.bare(&made).await, "valid");
        house.admin.turn(&made, "revoke", Some(json!({"reason": "leaked"}))).await;
        assert_eq!(house.asker.bare(&made).await, "revoked");
        assert_eq!(house.admin.audit(&format!("target={}", made.id)).await.len(), 2);
    }
    // A rate limit refuses for one window at most, whatever the clock had said before.
    house.wait(60);
    assert_eq!(house.asker.bare(&limited).await, "valid");
}

async fn a_year_forward_ends_what_ends_and_refills_once(mut house: House) {
    let plain = house.admin.issue(json!({})).await;
    let expiring = house.admin.issue(json!({"expires_at": "2026-02-01T00:00:00Z"})).await;
    let coming = house.admin.issue(json!({"not_before": "2026-02-01T00:00:00Z"})).await;
    let counted = house.admin.issue(json!({"quota": {"limit": 2, "per": "day"}})).await;
    let paid = house.admin.issue(json!({"credits": {"remaining": 2, "refill": "daily"}})).await;
    let revoked = house.admin.issue(json!({})).await;
    house.admin.turn(&revoked, "revoke", Some(json!({"reason": "leaked"}))).await;
    for key in [&counted, &paid] {
        for _ in 0..2 {
            assert_eq!(house.asker.bare(key).await, "valid");
        }
    }
    house.wait(YEAR);
    for restarted in [false, true] {
        if restarted {
            house.restart().await;
        }
        assert_eq!(house.asker.bare(&plain).await, "valid");
        assert_eq!(house.asker.bare(&expiring).await, "expired");
        assert_eq!(house.asker.bare(&coming).await, "valid");
        assert_eq!(house.asker.bare(&revoked).await, "revoked");
        // One period began, however many have passed.
        for key in [&counted, &paid] {
            let left = if restarted { 0 } else { 2 };
            for _ in 0..left {
                assert_eq!(house.asker.bare(key).await, "valid");
            }
        }
        assert_eq!(house.asker.bare(&counted).await, "quota_exceeded");
        assert_eq!(house.asker.bare(&paid).await, "credits_exhausted");
    }
    // And back: the jump has given nothing away.
    house.wait(-YEAR);
    assert_eq!(house.asker.bare(&counted).await, "quota_exceeded");
    assert_eq!(house.asker.bare(&paid).await, "credits_exhausted");
    assert_eq!(house.asker.bare(&expiring).await, "valid");
    assert_eq!(house.asker.bare(&revoked).await, "revoked");
}

async fn rotations_and_minted_keys_hold_an_hour_back(mut house: House) {
    let done = house.admin.issue(json!({})).await;
    let successor = house.admin.rotate(&done, json!({"grace_seconds": 600})).await;
    house.admin.turn(&done, "rotate/complete", None).await;
    let draining = house.admin.issue(json!({})).await;
    house.admin.rotate(&draining, json!({"grace_seconds": 600})).await;
    let waiting = house.admin.issue(json!({})).await;
    let awaited = house.admin.rotate(&waiting, json!({"until_first_use": true, "overlap_seconds": 60})).await;
    let parent = house.admin.issue(json!({})).await;
    let child = house.admin.mint(&parent, json!({"expires_in_seconds": 900})).await;
    let ended = house.admin.issue(json!({})).await;
    let orphan = house.admin.mint(&ended, json!({})).await;
    house.admin.revoke(&ended).await;
    for restarted in [false, true] {
        if restarted {
            house.restart().await;
        } else {
            house.wait(-HOUR);
        }
        // Who was told that a key has ended need not fear for it.
        assert_eq!(house.asker.bare(&done).await, "expired");
        assert_eq!(house.asker.bare(&successor).await, "valid");
        assert_eq!(house.asker.bare(&draining).await, "valid");
        assert_eq!(house.asker.bare(&child).await, "valid");
        assert_eq!(house.asker.bare(&orphan).await, "revoked");
    }
    // What begins now is measured from now.
    assert_eq!(house.asker.bare(&awaited).await, "valid");
    for _ in 0..10_000 {
        if !house.admin.show(&waiting).await["expires_at"].is_null() {
            break;
        }
        tokio::task::yield_now().await;
    }
    house.wait(60);
    // Written beside the request, and then taken into the keyring.
    for _ in 0..10_000 {
        if house.asker.bare(&waiting).await != "valid" {
            break;
        }
        tokio::task::yield_now().await;
    }
    assert_eq!(house.asker.bare(&waiting).await, "expired");
    house.admin.revoke(&parent).await;
    assert_eq!(house.asker.bare(&child).await, "revoked");
    // A grace lasts until the instant that was said.
    house.wait(HOUR + 539);
    assert_eq!(house.asker.bare(&draining).await, "valid");
    house.wait(1);
    assert_eq!(house.asker.bare(&draining).await, "expired");
}

async fn rotations_and_minted_keys_hold_a_year_forward(house: House) {
    let draining = house.admin.issue(json!({})).await;
    let successor = house.admin.rotate(&draining, json!({"grace_seconds": 600})).await;
    let waiting = house.admin.issue(json!({})).await;
    let awaited = house.admin.rotate(&waiting, json!({"until_first_use": true})).await;
    let parent = house.admin.issue(json!({})).await;
    let child = house.admin.mint(&parent, json!({"expires_in_seconds": 900})).await;
    house.wait(YEAR);
    assert_eq!(house.asker.bare(&draining).await, "expired");
    assert_eq!(house.asker.bare(&child).await, "expired");
    for key in [&successor, &waiting, &awaited, &parent] {
        assert_eq!(house.asker.bare(key).await, "valid");
    }
    // Its end was noted, and so it stays, whatever the clock says then.
    house.keystead.tend_rotations().await.unwrap();
    house.wait(-YEAR);
    assert_eq!(house.asker.bare(&draining).await, "expired");
    assert_eq!(house.asker.bare(&successor).await, "valid");
}

async fn guardrails_measure_from_the_clock_as_it_is(house: House) {
    let rules = json!({"every_kind": {"lifetime_max": "30d"}});
    house.admin.put("/v1/projects/registry/guardrails", rules).await.ok();
    let issue = async |expires_at: &str| {
        let body = json!({"name": "Key", "environment": "production", "expires_at": expires_at});
        house.admin.post("/v1/projects/registry/keys", body).await.status.as_u16()
    };
    assert_eq!(issue("2026-01-31T00:00:00Z").await, 201);
    house.wait(-HOUR);
    assert_eq!(issue("2026-01-31T00:00:00Z").await, 422);
    assert_eq!(issue("2026-01-30T23:00:00Z").await, 201);
    house.wait(YEAR + HOUR);
    assert_eq!(issue("2027-01-31T00:00:00Z").await, 201);
    assert_eq!(issue("2027-01-31T00:00:01Z").await, 422);
}
