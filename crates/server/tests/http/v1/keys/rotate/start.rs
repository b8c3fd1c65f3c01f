//! `POST /v1/keys/{id}/rotate`: what the new key is, and how long the old one lives on

use crate::house::{House, on_both_engines};
use serde_json::{Value, json};

on_both_engines! {
    both_keys_pass_until_the_grace_is_over,
    all_but_id_and_secret_is_as_it_was_lessons_4,
    lesson_2_grace_only_shortens_a_life,
    lesson_2_what_has_ended_is_not_rotated,
    another_expiry_takes_a_creators_right,
    what_is_switched_off_stays_off,
    a_key_in_a_rotation_is_not_rotated_again,
    of_two_rotations_at_once_one_wins,
    one_form_of_ending_or_the_other,
    rotating_needs_its_own_permission,
    nobody_rotates_a_key_that_may_more_than_their_own,
    a_rotation_is_audited_and_survives_a_restart,
}

async fn both_keys_pass_until_the_grace_is_over(house: House) {
    let old = house.admin.issue(json!({})).await;
    let new = house.admin.rotate(&old, json!({"grace_seconds": 60})).await;
    assert_ne!((&old.id, &old.key), (&new.id, &new.key));
    assert_eq!(new.shown["replaces"], old.id.as_str());
    assert_eq!(new.shown["rotation"]["ends_at"], "2026-01-01T00:01:00Z");
    house.wait(59);
    assert_eq!(
        (house.asker.bare(&old).await, house.asker.bare(&new).await),
        ("valid".into(), "valid".into())
    );
    house.wait(1);
    let refused = house.asker.ask(&old.key, json!({})).await;
    assert_eq!((&refused["code"], &refused["detail"]), (&json!("expired"), &json!("rotated")));
    let passed = house.asker.ask(&new.key, json!({})).await;
    assert_eq!((&passed["code"], &passed["detail"]), (&json!("valid"), &json!(null)));
    let explained = house.asker.ask(&old.key, json!({"explain": true})).await;
    assert_eq!(explained["detail"], "rotated");
    let why = explained["explanation"].as_array().unwrap().iter().find(|check| check["check"] == "state");
    assert!(why.unwrap()["why"].as_str().unwrap().contains(&new.id), "{explained}");
    // Without a word, a day.
    let next = house.admin.rotate(&new, json!({})).await;
    assert_eq!(next.shown["rotation"]["ends_at"], "2026-01-02T00:01:00Z");
}

/// LESSONS 4: a prefix with underscores was cut at the first one on rotation.
async fn all_but_id_and_secret_is_as_it_was_lessons_4(house: House) {
    house.admin.patch("/v1/projects/registry", json!({"prefix": "my_company_eu"})).await.ok();
    let old = house
        .admin
        .issue(json!({
            "name": "Importer", "owner": "worker", "consumer": "customer-1",
            "permissions": ["zones.read", {"permission": "routes.read", "resources": ["networks/NET-7"]}],
            "roles": ["editor"], "tags": ["a", "b"], "metadata": {"ticket": "OPS-7"},
            "restrictions": {"networks": {"allow": ["192.0.2.0/24"]}},
            "limits": [{"name": "default", "limit": 10, "window": "1m"}], "quota": {"limit": 5, "per": "day"},
            "credits": {"remaining": 9}, "not_before": "2026-01-01T00:00:00Z", "expires_at": "2027-01-01T00:00:00Z",
        }))
        .await;
    // Keys that exist keep their prefix, also when they are rotated.
    house.admin.patch("/v1/projects/registry", json!({"prefix": "other"})).await.ok();
    house.wait(5);
    let new = house.admin.rotate(&old, json!({})).await;
    assert!(new.key.starts_with("my_company_eu_live_"), "{}", &new.key[..20]);
    let same = |mut shown: Value| {
        for field in [
            "id",
            "key",
            "start",
            "created_at",
            "created_by",
            "updated_at",
            "version",
            "replaces",
            "rotation",
            "rotating",
        ] {
            shown.as_object_mut().unwrap().remove(field);
        }
        shown
    };
    assert_eq!(same(new.shown.clone()), same(old.shown.clone()));
    // What is answered is what is stored.
    let stored = house.admin.show(&new).await;
    for (field, value) in same(new.shown.clone()).as_object().unwrap() {
        assert_eq!(&stored[field], value, "{field}");
    }
    let request = json!({"ip": "192.0.2.7", "permissions": "zones.read"});
    assert_eq!(house.asker.code(&new, request).await, "valid");
    // Its role cannot be deleted under it, nor a permission that it names.
    house.admin.turn(&new, "rotate/complete", None).await;
    house.admin.revoke(&old).await;
    house.admin.delete(&old.path()).await.gone();
    let role = format!("/v1/projects/registry/roles/{}", house.acme.role);
    house.admin.delete(&role).await.refused(409, "conflict");
    house.admin.delete("/v1/projects/registry/permissions/zones.read").await.refused(409, "conflict");
}

/// LESSONS 2: rotation overwrote `expires`, and so prolonged a nearly expired key.
async fn lesson_2_grace_only_shortens_a_life(house: House) {
    let old = house.admin.issue(json!({"expires_at": "2026-01-01T00:01:00Z"})).await;
    let new = house.admin.rotate(&old, json!({"grace_seconds": 86_400})).await;
    for key in [&old, &new] {
        assert_eq!(house.admin.show(key).await["expires_at"], "2026-01-01T00:01:00Z");
    }
    house.wait(59);
    assert_eq!(house.asker.bare(&old).await, "valid");
    house.wait(1);
    for key in [&old, &new] {
        assert_eq!(house.asker.bare(key).await, "expired");
    }
    // Nor does an edit prolong what is rotated away.
    let prolong = house.admin.patch(&old.path(), json!({"expires_at": null})).await;
    prolong.refused(409, "conflict");
    assert_eq!(house.asker.bare(&old).await, "expired");
}

/// LESSONS 2: rotation revived an expired key.
async fn lesson_2_what_has_ended_is_not_rotated(house: House) {
    let expired = house.admin.issue(json!({"expires_at": "2026-01-01T00:01:00Z"})).await;
    let revoked = house.admin.issue(json!({})).await;
    let rotated = house.admin.issue(json!({})).await;
    let successor = house.admin.rotate(&rotated, json!({"grace_seconds": 0})).await;
    house.admin.revoke(&revoked).await;
    house.wait(60);
    for (key, fix) in [
        (&expired, "Issue a new key.".to_owned()),
        (&revoked, "Issue a new key.".to_owned()),
        (&rotated, format!("Rotate {} instead.", successor.id)),
    ] {
        let refused = house.admin.post(&format!("{}/rotate", key.path()), json!({})).await;
        assert_eq!(refused.refused(409, "conflict")["fix"], fix);
    }
    let audited = house.admin.audit("action=key.rotate").await;
    assert_eq!(audited.len(), 1);
}

async fn another_expiry_takes_a_creators_right(house: House) {
    let narrowed = |permission: &str| json!({"permission": permission, "resources": ["projects/registry"]});
    let rotator = house.admin.issue_in("keystead", json!({"permissions": [narrowed("keys.rotate")]})).await;
    let rotator = house.admin.with_key(&rotator.key);
    let old = house.admin.issue(json!({"expires_at": "2026-02-01T00:00:00Z"})).await;
    let path = format!("{}/rotate", old.path());
    let longer = json!({"expires_at": "2027-01-01T00:00:00Z"});
    let forbidden = rotator.post(&path, longer.clone()).await.refused(403, "forbidden");
    assert!(forbidden["detail"].as_str().unwrap().contains("keys.create"), "{forbidden}");
    let past = json!({"expires_at": "2026-01-01T00:00:00Z"});
    house.admin.post(&path, past).await.wrong_field("invalid_field", "/expires_at");
    assert_eq!(house.admin.show(&old).await["rotation"], json!(null));
    let new = house.admin.rotate(&old, longer).await;
    assert_eq!(new.shown["expires_at"], "2027-01-01T00:00:00Z");
    // The old one's end is the grace, not the new one's expiry.
    assert_eq!(house.admin.show(&old).await["expires_at"], "2026-01-02T00:00:00Z");
}

async fn what_is_switched_off_stays_off(house: House) {
    let (disabled, suspended) = (house.admin.issue(json!({})).await, house.admin.issue(json!({})).await);
    house.admin.turn(&disabled, "disable", None).await;
    house.admin.turn(&suspended, "suspend", Some(json!({"until": "2026-01-01T00:01:00Z"}))).await;
    for (key, code) in [(&disabled, "disabled"), (&suspended, "suspended")] {
        let new = house.admin.rotate(key, json!({})).await;
        assert_eq!(house.asker.bare(&new).await, code);
    }
}

async fn a_key_in_a_rotation_is_not_rotated_again(house: House) {
    let old = house.admin.issue(json!({})).await;
    let new = house.admin.rotate(&old, json!({})).await;
    for key in [&old, &new] {
        let refused = house.admin.post(&format!("{}/rotate", key.path()), json!({})).await;
        let problem = refused.refused(409, "conflict");
        assert_eq!(problem["fix"], "Complete or cancel that rotation first.");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(&old.id) && detail.contains(&new.id), "{detail}");
    }
    house.admin.turn(&old, "rotate/complete", None).await;
    house.admin.rotate(&new, json!({})).await;
}

async fn of_two_rotations_at_once_one_wins(house: House) {
    for _ in 0..4 {
        let key = house.admin.issue(json!({})).await;
        let path = format!("{}/rotate", key.path());
        let rotate = || house.admin.post(&path, json!({}));
        let (a, b, c) = tokio::join!(rotate(), rotate(), rotate());
        let mut won = 0;
        for answer in [a, b, c] {
            if answer.status == 201 {
                won += 1;
            } else {
                answer.refused(409, "conflict");
            }
        }
        assert_eq!(won, 1);
    }
    let list = house.admin.get("/v1/projects/registry/keys?limit=1000").await.ok();
    assert_eq!(list["items"].as_array().unwrap().len(), 8);
}

async fn one_form_of_ending_or_the_other(house: House) {
    let key = house.admin.issue(json!({})).await;
    let path = format!("{}/rotate", key.path());
    for (body, field) in [
        (json!({"grace_seconds": 5, "until_first_use": true}), "/grace_seconds"),
        (json!({"overlap_seconds": 5}), "/overlap_seconds"),
        (json!({"grace_seconds": 7_776_001}), "/grace_seconds"),
        (json!({"until_first_use": true, "overlap_seconds": 7_776_001}), "/overlap_seconds"),
        (json!({"grace_seconds": -1}), "/grace_seconds"),
    ] {
        house.admin.post(&path, body).await.wrong_field("invalid_field", field);
    }
    house.admin.post(&path, json!({"grace": 5})).await.refused(422, "invalid_field");
    let stale = [("if-match", "\"7\"")];
    let answer = house.admin.call(http::Method::POST, &path, Some(json!({})), &stale).await;
    answer.refused(412, "precondition_failed");
    assert_eq!(house.admin.show(&key).await["version"], 1);
}

async fn rotating_needs_its_own_permission(house: House) {
    let all = ["keys.read", "keys.create", "keys.update", "keys.revoke", "keys.delete"];
    let caller = house.admin.issue_in("keystead", json!({"permissions": all})).await;
    let caller = house.admin.with_key(&caller.key);
    let key = house.admin.issue(json!({})).await;
    for path in ["rotate", "rotate/complete", "rotate/cancel"] {
        let path = format!("{}/{path}", key.path());
        let body = path.ends_with("/rotate").then(|| json!({}));
        let refused = caller.call(http::Method::POST, &path, body, &[]).await.refused(403, "forbidden");
        assert!(refused["detail"].as_str().unwrap().contains("keys.rotate"), "{refused}");
    }
}

/// Whoever rotates a key holds it then.
async fn nobody_rotates_a_key_that_may_more_than_their_own(house: House) {
    let body = json!({"permissions": ["keys.rotate", "keys.read"], "expires_at": "2026-06-01T00:00:00Z"});
    let small = house.admin.issue_in("keystead", body).await;
    let caller = house.admin.with_key(&small.key);
    let strong = house.admin.issue_in("keystead", json!({"permissions": ["keys.create"]})).await;
    let lasting = house.admin.issue_in("keystead", json!({"permissions": ["keys.read"]})).await;
    for key in [&strong, &lasting] {
        caller.post(&format!("{}/rotate", key.path()), json!({})).await.refused(403, "forbidden");
        assert_eq!(house.admin.show(key).await["rotation"], json!(null));
    }
    // But its own, it may.
    let own = caller.post(&format!("{}/rotate", small.path()), json!({})).await.created();
    assert_eq!(own["expires_at"], "2026-06-01T00:00:00Z");
    house.admin.with_key(own["key"].as_str().unwrap()).get(&small.path()).await.ok();
}

async fn a_rotation_is_audited_and_survives_a_restart(mut house: House) {
    let old = house.admin.issue(json!({})).await;
    house.wait(1);
    let new = house.admin.rotate(&old, json!({"grace_seconds": 60})).await;
    let acts = house.admin.audit(&format!("target={}", old.id)).await;
    assert_eq!(acts[0]["action"], "key.rotate");
    assert_eq!(acts[0]["after"]["new_key_id"], new.id.as_str());
    let acts = house.admin.audit(&format!("target={}", new.id)).await;
    assert_eq!(acts[0]["action"], "key.create");
    let before = house.admin.show(&old).await["rotation"].clone();
    assert_eq!((&before["state"], &before["mode"]), (&json!("draining"), &json!("grace")));
    house.restart().await;
    assert_eq!(house.admin.show(&old).await["rotation"], before);
    assert_eq!(
        (house.asker.bare(&old).await, house.asker.bare(&new).await),
        ("valid".into(), "valid".into())
    );
    house.wait(60);
    house.restart().await;
    let refused = house.asker.ask(&old.key, json!({})).await;
    assert_eq!((&refused["code"], &refused["detail"]), (&json!("expired"), &json!("rotated")));
    assert_eq!(house.admin.show(&new).await["rotation"]["state"], "complete");
}
