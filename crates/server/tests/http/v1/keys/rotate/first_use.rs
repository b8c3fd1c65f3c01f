//! `POST /v1/keys/{id}/rotate` with `until_first_use`

use super::when_ended;
use crate::house::{House, Issued, LOG, on_both_engines};
use serde_json::{Value, json};

on_both_engines! {
    the_old_key_lives_until_the_new_one_is_used_and_an_overlap,
    what_is_refused_or_explained_is_no_use,
    the_first_use_counts_and_no_later_one,
    a_management_keys_first_use_counts,
    the_overlap_only_shortens_a_life,
    the_end_is_kept_after_a_restart,
    nobody_waits_for_the_use_once_the_old_key_is_revoked,
}

/// The rotation, once the first use was written: that happens beside the request.
async fn when_used(house: &House, key: &Issued) -> Value {
    for _ in 0..10_000 {
        let rotation = house.admin.show(key).await["rotation"].clone();
        if rotation["first_used_at"] != json!(null) {
            return rotation;
        }
        tokio::task::yield_now().await;
    }
    panic!("the first use was never written");
}

async fn the_old_key_lives_until_the_new_one_is_used_and_an_overlap(house: House) {
    let old = house.admin.issue(json!({})).await;
    let new = house.admin.rotate(&old, json!({"until_first_use": true, "overlap_seconds": 30})).await;
    let waiting = &new.shown["rotation"];
    assert_eq!((&waiting["state"], &waiting["ends_at"]), (&json!("waiting_for_first_use"), &json!(null)));
    house.wait(86_400 * 300);
    assert_eq!(house.asker.bare(&old).await, "valid");
    assert_eq!(house.asker.bare(&new).await, "valid");
    let rotation = when_used(&house, &old).await;
    assert_eq!(
        (&rotation["state"], &rotation["first_used_at"], &rotation["ends_at"]),
        (&json!("draining"), &json!("2026-10-28T00:00:00Z"), &json!("2026-10-28T00:00:30Z"))
    );
    house.wait(29);
    assert_eq!(house.asker.bare(&old).await, "valid");
    house.wait(1);
    assert_eq!(when_ended(&house, &old).await, "expired");
    assert_eq!(house.asker.ask(&old.key, json!({})).await["detail"], "rotated");
    let acts = house.admin.audit(&format!("target={}&action=key.rotation.first_use", old.id)).await;
    assert_eq!((acts.len(), &acts[0]["actor"]["kind"]), (1, &json!("server")));
}

async fn what_is_refused_or_explained_is_no_use(house: House) {
    let allow = json!({"networks": {"allow": ["192.0.2.0/24"]}});
    let old = house.admin.issue(json!({"restrictions": allow})).await;
    let new = house.admin.rotate(&old, json!({"until_first_use": true, "overlap_seconds": 0})).await;
    let inside = json!({"ip": "192.0.2.7"});
    for request in [json!({}), json!({"ip": "198.51.100.1"}), json!({"ip": "192.0.2.7", "explain": true})] {
        house.asker.ask(&new.key, request).await;
    }
    house.asker.ask(&house.others_secret(&new), inside.clone()).await;
    assert_eq!(house.asker.code(&old, inside.clone()).await, "valid");
    assert_eq!(house.admin.show(&old).await["rotation"]["state"], "waiting_for_first_use");
    assert_eq!(house.admin.audit("action=key.rotation.first_use").await.len(), 0);
    assert_eq!(house.asker.code(&new, inside.clone()).await, "valid");
    assert_eq!(when_used(&house, &new).await["state"], "complete");
    // State comes before networks.
    for _ in 0..10_000 {
        if house.asker.bare(&old).await != "network_denied" {
            break;
        }
    }
    assert_eq!(house.asker.bare(&old).await, "expired");
}

async fn the_first_use_counts_and_no_later_one(house: House) {
    let old = house.admin.issue(json!({})).await;
    let new = house.admin.rotate(&old, json!({"until_first_use": true, "overlap_seconds": 100})).await;
    let counts = house.asker.at_once(&[&new], 32, 16).await;
    assert_eq!(counts["valid"], 32);
    let first = when_used(&house, &old).await;
    house.wait(10);
    assert_eq!(house.asker.bare(&new).await, "valid");
    assert_eq!(when_used(&house, &old).await, first);
    assert_eq!(house.admin.audit("action=key.rotation.first_use").await.len(), 1);
}

async fn a_management_keys_first_use_counts(house: House) {
    let old = house.admin.issue_in("keystead", json!({"permissions": ["keys.read"]})).await;
    let new = house.admin.rotate(&old, json!({"until_first_use": true, "overlap_seconds": 0})).await;
    let (was, is) = (house.admin.with_key(&old.key), house.admin.with_key(&new.key));
    was.get("/v1/projects/registry/keys").await.ok();
    is.get("/v1/projects/registry/keys").await.ok();
    when_used(&house, &old).await;
    for _ in 0..10_000 {
        let answer = was.get("/v1/projects/registry/keys").await;
        if answer.status != 200 {
            answer.refused(401, "unauthenticated");
            return;
        }
    }
    panic!("the old key never ended");
}

async fn the_overlap_only_shortens_a_life(house: House) {
    let old = house.admin.issue(json!({"expires_at": "2026-01-01T00:01:00Z"})).await;
    let new = house.admin.rotate(&old, json!({"until_first_use": true, "overlap_seconds": 3_600})).await;
    assert_eq!(house.asker.bare(&new).await, "valid");
    assert_eq!(when_used(&house, &old).await["ends_at"], "2026-01-01T00:01:00Z");
    let cancelled = house.admin.turn(&new, "rotate/cancel", None).await;
    assert_eq!(cancelled["state"], "cancelled");
    assert_eq!(house.admin.show(&old).await["expires_at"], "2026-01-01T00:01:00Z");
}

/// Whether it was written before the stop or not: the next use would write it again.
async fn the_end_is_kept_after_a_restart(mut house: House) {
    let old = house.admin.issue(json!({})).await;
    let new = house.admin.rotate(&old, json!({"until_first_use": true, "overlap_seconds": 60})).await;
    house.restart().await;
    assert_eq!(house.admin.show(&old).await["rotation"]["state"], "waiting_for_first_use");
    assert_eq!(house.asker.bare(&new).await, "valid");
    // A stop in order waits for what a use has set off.
    house.restart().await;
    assert_eq!(house.admin.show(&old).await["rotation"]["ends_at"], "2026-01-01T00:01:00Z");
    house.wait(60);
    assert_eq!(house.asker.bare(&old).await, "expired");
}

async fn nobody_waits_for_the_use_once_the_old_key_is_revoked(mut house: House) {
    let before = LOG.lock().len();
    let old = house.admin.issue(json!({})).await;
    let new = house.admin.rotate(&old, json!({"until_first_use": true, "overlap_seconds": 30})).await;
    house.admin.revoke(&old).await;
    assert_eq!(house.asker.bare(&new).await, "valid");
    assert_eq!(house.asker.bare(&new).await, "valid");
    // A stop ends what is done beside requests.
    house.restart().await;
    let log = String::from_utf8_lossy(&LOG.lock()[before..]).into_owned();
    assert!(!log.contains("what a key's use sets off was not written"), "it is tried, and never succeeds");
}
