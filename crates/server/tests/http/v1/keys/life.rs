//! `POST /v1/keys/{id}/disable`, `/enable`, `/suspend`, `/revoke` and `DELETE /v1/keys/{id}`

use crate::house::{House, on_both_engines};
use serde_json::json;

on_both_engines! {
    a_disabled_key_is_refused_until_it_is_enabled,
    a_suspended_key_comes_back_by_itself,
    enabling_ends_a_suspension,
    a_revoked_key_stays_visible_and_cannot_come_back,
    only_a_revoked_key_is_deleted_and_its_audit_stays,
    a_validity_window_opens_and_closes,
    what_was_switched_holds_after_a_restart,
    turning_twice_changes_nothing,
    every_turn_takes_if_match,
    of_changes_at_once_none_is_refused_for_another,
}

async fn a_disabled_key_is_refused_until_it_is_enabled(house: House) {
    let key = house.admin.issue(json!({})).await;
    assert_eq!(house.asker.bare(&key).await, "valid");
    assert_eq!(house.admin.turn(&key, "disable", None).await["status"], "disabled");
    assert_eq!(house.asker.bare(&key).await, "disabled");
    assert_eq!(house.admin.turn(&key, "enable", None).await["status"], "active");
    assert_eq!(house.asker.bare(&key).await, "valid");
}

async fn a_suspended_key_comes_back_by_itself(house: House) {
    let key = house.admin.issue(json!({})).await;
    let suspended = house.admin.turn(&key, "suspend", Some(json!({"until": "2026-01-01T00:01:00Z"}))).await;
    assert_eq!(
        (&suspended["status"], &suspended["suspended_until"]),
        (&json!("suspended"), &json!("2026-01-01T00:01:00Z"))
    );
    let verdict = house.asker.ask(&key.key, json!({})).await;
    assert_eq!((&verdict["code"], &verdict["retry_after_seconds"]), (&json!("suspended"), &json!(60)));
    house.wait(59);
    assert_eq!(house.asker.bare(&key).await, "suspended");
    house.wait(1);
    assert_eq!(house.asker.bare(&key).await, "valid");
    let shown = house.admin.show(&key).await;
    assert_eq!((&shown["status"], &shown["suspended_until"]), (&json!("active"), &json!(null)));
    let past =
        house.admin.post(&format!("{}/suspend", key.path()), json!({"until": "2026-01-01T00:01:00Z"})).await;
    past.wrong_field("invalid_field", "/until");
}

async fn enabling_ends_a_suspension(house: House) {
    let key = house.admin.issue(json!({})).await;
    house.admin.turn(&key, "suspend", Some(json!({"until": "2027-01-01T00:00:00Z"}))).await;
    assert_eq!(house.admin.turn(&key, "enable", None).await["suspended_until"], json!(null));
    assert_eq!(house.asker.bare(&key).await, "valid");
}

async fn a_revoked_key_stays_visible_and_cannot_come_back(mut house: House) {
    let key = house.admin.issue(json!({})).await;
    house.wait(5);
    let revoked =
        house.admin.turn(&key, "revoke", Some(json!({"reason": "Found in a public repository"}))).await;
    let revocation = json!({"at": "2026-01-01T00:00:05Z", "reason": "Found in a public repository"});
    assert_eq!((&revoked["status"], &revoked["revocation"]), (&json!("revoked"), &revocation));
    for restarted in [false, true] {
        assert_eq!(house.asker.bare(&key).await, "revoked");
        assert_eq!(house.admin.show(&key).await["revocation"], revocation);
        let list = house.admin.get("/v1/projects/registry/keys?status=inactive").await.ok();
        assert_eq!(list["items"][0]["id"], key.id.as_str());
        for (turn, body) in
            [("enable", None), ("disable", None), ("suspend", Some(json!({"until": "2027-01-01T00:00:00Z"})))]
        {
            let path = format!("{}/{turn}", key.path());
            house.admin.call(http::Method::POST, &path, body, &[]).await.refused(409, "conflict");
        }
        house
            .admin
            .patch(&key.path(), json!({"expires_at": null, "name": "Back"}))
            .await
            .refused(409, "conflict");
        // To say it twice is no error, and does not rewrite when and why.
        assert_eq!(house.admin.revoke(&key).await["revocation"], revocation);
        if !restarted {
            house.restart().await;
        }
    }
    let empty = house.admin.post(&format!("{}/revoke", key.path()), json!({"reason": ""})).await;
    empty.wrong_field("invalid_field", "/reason");
}

async fn only_a_revoked_key_is_deleted_and_its_audit_stays(house: House) {
    let key = house.admin.issue(json!({})).await;
    house.admin.delete(&key.path()).await.refused(409, "conflict");
    house.wait(1);
    house.admin.revoke(&key).await;
    house.wait(1);
    house.admin.delete(&key.path()).await.gone();
    house.admin.get(&key.path()).await.refused(404, "not_found");
    assert_eq!(house.asker.bare(&key).await, "not_found");
    let acts = house.admin.audit(&format!("target={}", key.id)).await;
    let actions: Vec<_> = acts.iter().map(|act| act["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["key.delete", "key.revoke", "key.create"]);
}

async fn a_validity_window_opens_and_closes(house: House) {
    let window = json!({"not_before": "2026-01-01T00:00:10Z", "expires_at": "2026-01-01T00:00:20Z"});
    let key = house.admin.issue(window).await;
    let verdict = house.asker.ask(&key.key, json!({})).await;
    assert_eq!((&verdict["code"], &verdict["retry_after_seconds"]), (&json!("not_yet_valid"), &json!(10)));
    house.wait(10);
    let verdict = house.asker.ask(&key.key, json!({})).await;
    assert_eq!((&verdict["code"], &verdict["expires_at"]), (&json!("valid"), &json!("2026-01-01T00:00:20Z")));
    house.wait(10);
    assert_eq!(house.asker.bare(&key).await, "expired");
    house.admin.change(&key, json!({"expires_at": null})).await;
    assert_eq!(house.asker.bare(&key).await, "valid");
}

async fn what_was_switched_holds_after_a_restart(mut house: House) {
    let (off, until, on) = (
        house.admin.issue(json!({})).await,
        house.admin.issue(json!({})).await,
        house.admin.issue(json!({})).await,
    );
    house.admin.turn(&off, "disable", None).await;
    house.admin.turn(&until, "suspend", Some(json!({"until": "2027-01-01T00:00:00Z"}))).await;
    house.restart().await;
    for (key, code) in [(&off, "disabled"), (&until, "suspended"), (&on, "valid")] {
        assert_eq!(house.asker.bare(key).await, code);
    }
}

async fn turning_twice_changes_nothing(house: House) {
    let key = house.admin.issue(json!({})).await;
    let once = house.admin.turn(&key, "disable", None).await;
    house.wait(1);
    assert_eq!(house.admin.turn(&key, "disable", None).await, once);
    assert_eq!(once["version"], 2);
    let acts = house.admin.audit(&format!("action=key.disable&target={}", key.id)).await;
    // That it was asked is recorded, and that nothing changed.
    assert_eq!((acts.len(), &acts[0]["before"], &acts[0]["after"]), (2, &json!({}), &json!({})));
}

async fn every_turn_takes_if_match(house: House) {
    let key = house.admin.issue(json!({})).await;
    let suspend = Some(json!({"until": "2027-01-01T00:00:00Z"}));
    let revoke = Some(json!({"reason": "A test says so"}));
    for (turn, body) in [("disable", None), ("enable", None), ("suspend", suspend), ("revoke", revoke)] {
        let path = format!("{}/{turn}", key.path());
        let turn = async |version: &str| {
            house.admin.call(http::Method::POST, &path, body.clone(), &[("if-match", version)]).await
        };
        turn("\"77\"").await.refused(412, "precondition_failed");
        let now = house.admin.get(&key.path()).await.headers["etag"].to_str().unwrap().to_owned();
        turn(&now).await.ok();
    }
    let delete = async |version: &str| {
        house.admin.call(http::Method::DELETE, &key.path(), None, &[("if-match", version)]).await
    };
    delete("\"1\"").await.refused(412, "precondition_failed");
    delete("\"5\"").await.gone();
}

/// The harness found it: on PostgreSQL a revocation without `If-Match` was answered 412.
async fn of_changes_at_once_none_is_refused_for_another(house: House) {
    let reason = Some(json!({"reason": "leaked"}));
    for _ in 0..8 {
        let key = house.admin.issue(json!({})).await;
        let turn = async |turn: &str, body| {
            let path = format!("{}/{turn}", key.path());
            house.admin.call(http::Method::POST, &path, body, &[]).await
        };
        let (first, second, third, revoked) = tokio::join!(
            turn("disable", None),
            turn("enable", None),
            turn("disable", None),
            turn("revoke", reason.clone())
        );
        assert_eq!(revoked.ok()["status"], "revoked");
        for answer in [first, second, third] {
            // What comes after the revocation is told so.
            assert!([200, 409].contains(&answer.status.as_u16()), "{}", answer.status);
        }
        assert_eq!(house.asker.bare(&key).await, "revoked");
    }
}
