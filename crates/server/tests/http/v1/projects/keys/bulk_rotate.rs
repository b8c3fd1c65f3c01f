//! `POST /v1/projects/{project}/keys/bulk` with `rotate`

use crate::house::{House, on_both_engines};
use http::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;

on_both_engines! {
    every_key_that_matches_gets_a_new_one_which_is_shown_once,
    those_that_cannot_be_rotated_are_left_out_and_named,
    asked_again_it_is_done_once,
    old_keys_end_as_was_asked_for_all,
    it_needs_the_right_to_rotate_and_for_longer_lives_the_right_to_create,
    credits_are_the_lineages_lesson_3,
    what_is_switched_off_stays_off,
    guardrails_hold_for_each,
    a_key_wider_than_the_callers_is_refused_alone,
    one_request_takes_of_the_callers_limit_once,
}

const BULK: &str = "/v1/projects/registry/keys/bulk";

fn rotate(tag: &str, count: u64) -> Value {
    json!({"action": "rotate", "filter": {"tag": tag}, "expected_count": count})
}

async fn every_key_that_matches_gets_a_new_one_which_is_shown_once(house: House) {
    let mut old = Vec::new();
    for number in 0..5 {
        let made = house.admin.issue(json!({"tags": ["edge"], "name": format!("Edge {number}")})).await;
        old.push(made);
        house.wait(1);
    }
    let mut body = rotate("edge", 5);
    let mut preview = body.clone();
    preview["dry_run"] = json!(true);
    let preview = house.admin.post(BULK, preview).await.ok();
    assert_eq!((&preview["matched"], &preview["rotated"]), (&json!(5), &json!([])));
    body["limit"] = json!(2);
    let mut rotated = Vec::new();
    loop {
        let part = house.admin.post(BULK, body.clone()).await.ok();
        assert_eq!(part["refused"], json!([]), "what was made meanwhile is not rotated, too");
        rotated.extend(part["rotated"].as_array().unwrap().clone());
        if part["next_cursor"].is_null() {
            break;
        }
        body["cursor"] = part["next_cursor"].clone();
    }
    let replaced: BTreeSet<_> = rotated.iter().map(|new| new["replaces"].as_str().unwrap()).collect();
    assert_eq!(replaced, old.iter().map(|key| key.id.as_str()).collect());
    for new in &rotated {
        let id = new["id"].as_str().unwrap();
        assert_eq!(house.asker.ask(new["key"].as_str().unwrap(), json!({})).await["code"], "valid");
        assert_eq!(new["rotation"]["state"], "draining");
        let old = new["replaces"].as_str().unwrap();
        assert_eq!(house.admin.audit(&format!("target={old}&action=key.rotate")).await.len(), 1);
        assert_eq!(house.admin.audit(&format!("target={id}&action=key.create")).await.len(), 1);
    }
    for key in &old {
        assert_eq!(house.asker.bare(key).await, "valid", "its time of grace is a day");
    }
    // The list says which keys are in a rotation, and with which.
    let list = house.admin.get("/v1/projects/registry/keys?tag=edge").await.ok();
    let list = list["items"].as_array().unwrap();
    assert_eq!(list.len(), 10);
    for key in list {
        let other = list.iter().find(|other| other["id"] == key["rotating"]["other_key_id"]).unwrap();
        assert_eq!(other["rotating"]["other_key_id"], key["id"]);
        assert_ne!(other["rotating"]["part"], key["rotating"]["part"]);
        assert_eq!(key["rotating"]["ends_at"], other["rotating"]["ends_at"]);
    }
    house.wait(86_400);
    let list = house.admin.get("/v1/projects/registry/keys?tag=edge").await.ok();
    assert!(list["items"].as_array().unwrap().iter().all(|key| key["rotating"].is_null()));
}

async fn those_that_cannot_be_rotated_are_left_out_and_named(house: House) {
    let good = house.admin.issue(json!({"tags": ["edge"]})).await;
    let revoked = house.admin.issue(json!({"tags": ["edge"]})).await;
    house.admin.revoke(&revoked).await;
    let short = house.admin.issue(json!({"tags": ["edge"], "kind": "temporary"})).await;
    let rotating = house.admin.issue(json!({"tags": ["edge"]})).await;
    let new = house.admin.rotate(&rotating, json!({})).await;
    let part = house.admin.post(BULK, rotate("edge", 5)).await.ok();
    assert_eq!((&part["done"], &part["rotated"][0]["replaces"]), (&json!(1), &json!(good.id)));
    let refused: BTreeSet<_> =
        part["refused"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect();
    let named = [&revoked.id, &short.id, &rotating.id, &new.id];
    assert_eq!(refused, named.into_iter().map(String::as_str).collect());
    for one in part["refused"].as_array().unwrap() {
        assert!(!one["detail"].as_str().unwrap().is_empty() && !one["fix"].as_str().unwrap().is_empty());
    }
}

async fn asked_again_it_is_done_once(house: House) {
    house.admin.issue(json!({"tags": ["edge"]})).await;
    let ask = async || {
        let headers = [("idempotency-key", "all-of-edge")];
        house.admin.call(Method::POST, BULK, Some(rotate("edge", 1)), &headers).await
    };
    let first = ask().await.ok();
    assert_eq!(ask().await.ok(), first, "the same new key, with its secret");
    assert_eq!(house.admin.audit("action=key.rotate").await.len(), 1);
    house.wait(601);
    let late = ask().await;
    assert_eq!(late.status, 409, "{}", late.text);
    assert!(late.text.contains(first["rotated"][0]["id"].as_str().unwrap()), "{}", late.text);
    assert!(!late.text.contains(first["rotated"][0]["key"].as_str().unwrap()));
}

async fn old_keys_end_as_was_asked_for_all(house: House) {
    let one = house.admin.issue(json!({"tags": ["edge"]})).await;
    let other = house.admin.issue(json!({"tags": ["edge"], "expires_at": "2026-01-01T00:00:30Z"})).await;
    let mut body = rotate("edge", 2);
    body["rotation"] = json!({"grace_seconds": 60});
    house.admin.post(BULK, body).await.ok();
    house.wait(30);
    // Grace only shortens a life (LESSONS 2).
    assert_eq!(house.asker.bare(&one).await, "valid");
    assert_eq!(house.asker.bare(&other).await, "expired");
    house.wait(30);
    assert_eq!(house.asker.bare(&one).await, "expired");
}

async fn it_needs_the_right_to_rotate_and_for_longer_lives_the_right_to_create(house: House) {
    house.admin.issue(json!({"tags": ["edge"]})).await;
    for (permissions, plain, longer) in [
        (json!(["keys.read"]), 403, 403),
        (json!(["keys.rotate"]), 403, 403),
        (json!(["keys.read", "keys.rotate"]), 200, 403),
        (json!(["keys.read", "keys.rotate", "keys.create"]), 200, 200),
    ] {
        let key = house.admin.issue_in("keystead", json!({"permissions": permissions})).await;
        let caller = house.admin.with_key(&key.key);
        let mut body = rotate("edge", 9);
        body["dry_run"] = json!(true);
        assert_eq!(caller.post(BULK, body.clone()).await.status, plain, "{permissions}");
        body["rotation"] = json!({"expires_at": "2027-01-01T00:00:00Z"});
        assert_eq!(caller.post(BULK, body).await.status, longer, "{permissions}");
    }
}

async fn credits_are_the_lineages_lesson_3(house: House) {
    let credits = json!({"remaining": 10, "refill": "none"});
    let old = house.admin.issue(json!({"tags": ["edge"], "credits": credits})).await;
    assert_eq!(house.asker.bare(&old).await, "valid");
    let part = house.admin.post(BULK, rotate("edge", 1)).await.ok();
    let new = part["rotated"][0]["key"].as_str().unwrap();
    let mut passed = 1;
    for _ in 0..10 {
        passed += u32::from(house.asker.ask(new, json!({})).await["valid"] == json!(true));
        passed += u32::from(house.asker.bare(&old).await == "valid");
    }
    assert_eq!(passed, 10);
}

async fn what_is_switched_off_stays_off(house: House) {
    let on = house.admin.issue(json!({"tags": ["edge"]})).await;
    let off = house.admin.issue(json!({"tags": ["edge"]})).await;
    house.admin.turn(&off, "disable", None).await;
    let part = house.admin.post(BULK, rotate("edge", 2)).await.ok();
    assert_eq!(part["done"], 2);
    let replaces = |id: &str| {
        let rotated = part["rotated"].as_array().unwrap();
        rotated.iter().find(|new| new["replaces"] == id).unwrap()["status"].clone()
    };
    assert_eq!((replaces(&off.id), replaces(&on.id)), (json!("disabled"), json!("active")));
}

async fn guardrails_hold_for_each(house: House) {
    let longer = house.admin.issue(json!({"tags": ["edge"], "expires_at": "2026-12-31T00:00:00Z"})).await;
    let shorter = house.admin.issue(json!({"tags": ["edge"], "expires_at": "2026-02-01T00:00:00Z"})).await;
    let rules = json!({"every_kind": {"lifetime_max": "60d"}});
    house.admin.call(Method::PUT, "/v1/projects/registry/guardrails", Some(rules), &[]).await.ok();
    let mut body = rotate("edge", 2);
    body["rotation"] = json!({"expires_at": "2026-12-01T00:00:00Z"});
    let part = house.admin.post(BULK, body).await.ok();
    // The life of the one becomes shorter, as it should; that of the other would become too long.
    assert_eq!(part["rotated"][0]["replaces"], longer.id.as_str(), "{part}");
    assert_eq!(part["refused"][0]["id"], shorter.id.as_str(), "{part}");
    assert!(part["refused"][0]["detail"].as_str().unwrap().contains("60d"), "{part}");
}

async fn a_key_wider_than_the_callers_is_refused_alone(house: House) {
    let rights = json!(["keys.read", "keys.rotate", "projects.read"]);
    let may = house.admin.issue_in("keystead", json!({"permissions": rights})).await;
    let same = json!({"permissions": ["keys.read"], "tags": ["edge"]});
    let same = house.admin.issue_in("keystead", same).await;
    let wider = json!({"permissions": ["keys.delete"], "tags": ["edge"]});
    let wider = house.admin.issue_in("keystead", wider).await;
    let bulk = "/v1/projects/keystead/keys/bulk";
    let part = house.admin.with_key(&may.key).post(bulk, rotate("edge", 2)).await.ok();
    assert_eq!(part["rotated"][0]["replaces"], same.id.as_str(), "{part}");
    assert_eq!(part["refused"][0]["id"], wider.id.as_str(), "{part}");
}

async fn one_request_takes_of_the_callers_limit_once(house: House) {
    let key = house.admin.issue(json!({"tags": ["edge"]})).await;
    let limits = json!([{"name": "acts", "limit": 2, "window": "1h"}]);
    let rights = json!(["keys.read", "keys.rotate"]);
    let caller = house.admin.issue_in("keystead", json!({"permissions": rights, "limits": limits})).await;
    let caller = house.admin.with_key(&caller.key);
    let rotate_it = format!("/v1/keys/{}/rotate", key.id);
    // What is refused for want of a right takes nothing, whichever right it is.
    for _ in 0..5 {
        let longer = json!({"expires_at": "2027-01-01T00:00:00Z"});
        assert_eq!(caller.post(&rotate_it, longer).await.status, 403);
    }
    let mut preview = rotate("edge", 1);
    preview["dry_run"] = json!(true);
    caller.post(BULK, preview).await.ok();
    assert_eq!(caller.post(&rotate_it, json!({})).await.status, 201);
    assert_eq!(caller.post(&rotate_it, json!({})).await.status, 429);
}
