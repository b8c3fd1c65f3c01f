//! `POST /v1/keys/{id}/rotate/complete` and `/rotate/cancel`

use crate::house::{House, on_both_engines};
use serde_json::json;

on_both_engines! {
    lesson_1_a_completed_rotation_ends_the_old_key_on_the_next_request,
    a_cancelled_rotation_gives_the_old_key_its_own_expiry_back,
    lesson_2_cancelling_revives_nothing,
    what_is_in_no_rotation_is_neither_completed_nor_cancelled,
    of_two_who_end_it_at_once_one_wins,
    a_cancelled_rotation_can_be_started_again,
    revoking_the_old_key_completes_its_rotation,
    purging_either_key_leaves_the_other,
}

/// LESSONS 1: rerolling with "expire now" did not evict even the same node's cache.
async fn lesson_1_a_completed_rotation_ends_the_old_key_on_the_next_request(house: House) {
    for by_new in [false, true] {
        let old = house.admin.issue(json!({})).await;
        let new = house.admin.rotate(&old, json!({})).await;
        assert_eq!(house.asker.bare(&old).await, "valid");
        let ended = house.admin.turn(if by_new { &new } else { &old }, "rotate/complete", None).await;
        assert_eq!(
            (&ended["state"], &ended["ends_at"]),
            (&json!("complete"), &json!("2026-01-01T00:00:00Z"))
        );
        let refused = house.asker.ask(&old.key, json!({})).await;
        assert_eq!((&refused["code"], &refused["detail"]), (&json!("expired"), &json!("rotated")));
        assert_eq!(house.asker.bare(&new).await, "valid");
    }
    // The same without any grace.
    let old = house.admin.issue(json!({})).await;
    assert_eq!(house.asker.bare(&old).await, "valid");
    let new = house.admin.rotate(&old, json!({"grace_seconds": 0})).await;
    assert_eq!(house.asker.bare(&old).await, "expired");
    assert_eq!(house.asker.bare(&new).await, "valid");
}

async fn a_cancelled_rotation_gives_the_old_key_its_own_expiry_back(mut house: House) {
    for expiry in [json!(null), json!("2026-03-01T00:00:00Z")] {
        let old = house.admin.issue(json!({"expires_at": expiry})).await;
        let new = house.admin.rotate(&old, json!({"grace_seconds": 600})).await;
        house.wait(10);
        let cancelled = house.admin.turn(&new, "rotate/cancel", None).await;
        assert_eq!((&cancelled["state"], &cancelled["ends_at"]), (&json!("cancelled"), &json!(null)));
        let shown = house.admin.show(&new).await;
        assert_eq!(shown["revocation"]["reason"], "The rotation that made it was cancelled.");
        // Who asks what became of either key finds it.
        for key in [&old, &new] {
            let records = house.admin.audit(&format!("target={}&action=key.rotation.cancel", key.id)).await;
            assert_eq!(records.len(), 1);
            assert_eq!(records[0]["after"]["state"], "cancelled");
        }
        for restarted in [false, true] {
            assert_eq!(house.asker.bare(&new).await, "revoked");
            assert_eq!(house.admin.show(&old).await["expires_at"], expiry);
            assert_eq!(house.asker.bare(&old).await, "valid");
            if !restarted {
                house.restart().await;
            }
        }
        house.wait(600);
        assert_eq!(house.asker.bare(&old).await, "valid");
    }
}

/// LESSONS 2: rotation revived an expired key.
async fn lesson_2_cancelling_revives_nothing(house: House) {
    let ended = house.admin.issue(json!({})).await;
    house.admin.rotate(&ended, json!({"grace_seconds": 60})).await;
    let expired = house.admin.issue(json!({"expires_at": "2026-01-01T00:01:00Z"})).await;
    house.admin.rotate(&expired, json!({"until_first_use": true})).await;
    let completed = house.admin.issue(json!({})).await;
    house.admin.rotate(&completed, json!({})).await;
    house.admin.turn(&completed, "rotate/complete", None).await;
    house.wait(60);
    for key in [&ended, &expired, &completed] {
        house.admin.poke(&format!("{}/rotate/cancel", key.path())).await.refused(409, "conflict");
        assert_eq!(house.asker.bare(key).await, "expired");
    }
}

async fn what_is_in_no_rotation_is_neither_completed_nor_cancelled(house: House) {
    let key = house.admin.issue(json!({})).await;
    let cancelled = house.admin.issue(json!({})).await;
    house.admin.rotate(&cancelled, json!({})).await;
    house.admin.turn(&cancelled, "rotate/cancel", None).await;
    for key in [&key, &cancelled] {
        for end in ["complete", "cancel"] {
            house.admin.poke(&format!("{}/rotate/{end}", key.path())).await.refused(409, "conflict");
        }
    }
}

async fn of_two_who_end_it_at_once_one_wins(house: House) {
    for _ in 0..4 {
        let old = house.admin.issue(json!({})).await;
        let new = house.admin.rotate(&old, json!({})).await;
        let (complete, cancel) =
            (format!("{}/rotate/complete", old.path()), format!("{}/rotate/cancel", new.path()));
        let (completed, cancelled) = tokio::join!(house.admin.poke(&complete), house.admin.poke(&cancel));
        let codes = (house.asker.bare(&old).await, house.asker.bare(&new).await);
        if completed.status == 200 {
            cancelled.refused(409, "conflict");
            assert_eq!(codes, ("expired".into(), "valid".into()));
        } else {
            completed.refused(409, "conflict");
            cancelled.ok();
            assert_eq!(codes, ("valid".into(), "revoked".into()));
        }
    }
}

async fn a_cancelled_rotation_can_be_started_again(house: House) {
    let old = house.admin.issue(json!({"expires_at": "2026-03-01T00:00:00Z"})).await;
    for _ in 0..3 {
        let new = house.admin.rotate(&old, json!({"grace_seconds": 5})).await;
        house.admin.turn(&new, "rotate/cancel", None).await;
    }
    let new = house.admin.rotate(&old, json!({"grace_seconds": 5})).await;
    assert_eq!(new.shown["expires_at"], "2026-03-01T00:00:00Z");
    house.wait(5);
    assert_eq!(
        (house.asker.bare(&old).await, house.asker.bare(&new).await),
        ("expired".into(), "valid".into())
    );
}

async fn revoking_the_old_key_completes_its_rotation(house: House) {
    let old = house.admin.issue(json!({})).await;
    let new = house.admin.rotate(&old, json!({"until_first_use": true})).await;
    house.admin.revoke(&old).await;
    assert_eq!(
        (house.asker.bare(&old).await, house.asker.bare(&new).await),
        ("revoked".into(), "valid".into())
    );
    assert_eq!(house.admin.show(&new).await["rotation"]["state"], "complete");
    house.admin.rotate(&new, json!({})).await;
}

async fn purging_either_key_leaves_the_other(mut house: House) {
    let (a, b) = (house.admin.issue(json!({})).await, house.admin.issue(json!({})).await);
    let a_new = house.admin.rotate(&a, json!({"until_first_use": true})).await;
    let b_new = house.admin.rotate(&b, json!({"until_first_use": true})).await;
    for key in [&a, &b_new] {
        house.admin.revoke(key).await;
        house.admin.delete(&key.path()).await.gone();
    }
    for restarted in [false, true] {
        for key in [&a_new, &b] {
            assert_eq!(house.asker.bare(key).await, "valid");
            assert_eq!(house.admin.show(key).await["rotation"], json!(null));
        }
        if !restarted {
            house.restart().await;
        }
    }
    house.admin.rotate(&b, json!({})).await;
}
