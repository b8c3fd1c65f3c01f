//! `POST /v1/projects/{project}/keys/bulk`

use crate::house::{House, on_both_engines};
use serde_json::{Value, json};

on_both_engines! {
    what_matches_is_previewed_and_nothing_is_done,
    every_key_that_matches_is_done_in_as_many_calls_as_it_takes,
    nothing_is_done_when_more_match_than_were_previewed,
    a_key_that_cannot_be_done_holds_up_no_other,
    changes_hold_from_the_next_request_on,
    the_key_that_calls_is_left_alone,
    an_act_on_many_needs_what_the_act_on_one_needs,
    nonsense_is_refused_with_its_field,
}

const BULK: &str = "/v1/projects/registry/keys/bulk";

async fn bulk(house: &House, body: Value) -> Value {
    house.admin.post(BULK, body).await.ok()
}

async fn what_matches_is_previewed_and_nothing_is_done(house: House) {
    let key = house.admin.issue(json!({"tags": ["edge"]})).await;
    house.admin.issue(json!({})).await;
    let acts = house.admin.audit("").await.len();
    let body = json!({"action": "disable", "filter": {"tag": "edge"}, "dry_run": true});
    let preview = bulk(&house, body).await;
    assert_eq!((&preview["matched"], &preview["done"]), (&json!(1), &json!(0)));
    assert_eq!(preview["sample"][0]["id"], key.id);
    assert_eq!(house.asker.bare(&key).await, "valid");
    assert_eq!(house.admin.audit("").await.len(), acts);
}

async fn every_key_that_matches_is_done_in_as_many_calls_as_it_takes(house: House) {
    let mut keys = Vec::new();
    for _ in 0..7 {
        keys.push(house.admin.issue(json!({"tags": ["edge"]})).await);
        house.wait(1);
    }
    let other = house.admin.issue(json!({})).await;
    let mut body = json!({"action": "disable", "filter": {"tag": "edge", "status": "active"}, "expected_count": 7, "limit": 3});
    let mut handled = Vec::new();
    loop {
        let part = bulk(&house, body.clone()).await;
        handled.push(part["done"].as_u64().unwrap());
        if part["next_cursor"].is_null() {
            break;
        }
        body["cursor"] = part["next_cursor"].clone();
    }
    assert_eq!(handled, [3, 3, 1]);
    for key in &keys {
        assert_eq!(house.asker.bare(key).await, "disabled");
        let acts = house.admin.audit(&format!("target={}&action=key.disable", key.id)).await;
        assert_eq!(acts.len(), 1);
    }
    assert_eq!(house.asker.bare(&other).await, "valid");
}

async fn nothing_is_done_when_more_match_than_were_previewed(house: House) {
    let key = house.admin.issue(json!({})).await;
    house.wait(1);
    let late = house.admin.issue(json!({})).await;
    let body = json!({"action": "revoke", "reason": "All", "filter": {}, "expected_count": 1});
    house.admin.post(BULK, body.clone()).await.refused(409, "conflict");
    let mut body = body;
    body["expected_count"] = json!(2);
    body["limit"] = json!(1);
    let part = bulk(&house, body.clone()).await;
    assert_eq!(house.asker.bare(&late).await, "revoked");
    // A cursor cannot raise what is left, and what is left cannot be exceeded.
    body["cursor"] = json!(part["next_cursor"].as_str().unwrap().replacen('1', "0", 1));
    house.admin.post(BULK, body.clone()).await.refused(409, "conflict");
    assert_eq!(house.asker.bare(&key).await, "valid");
}

async fn a_key_that_cannot_be_done_holds_up_no_other(house: House) {
    let revoked = house.admin.issue(json!({})).await;
    house.admin.revoke(&revoked).await;
    let body = json!({"action": "disable", "filter": {}, "expected_count": 9});
    let none = bulk(&house, body.clone()).await;
    assert_eq!((&none["done"], &none["refused"][0]["id"]), (&json!(0), &json!(revoked.id)));
    let key = house.admin.issue(json!({})).await;
    let part = bulk(&house, body).await;
    assert_eq!(part["done"], 1);
    assert_eq!(part["refused"].as_array().unwrap().len(), 1);
    assert_eq!(house.asker.bare(&key).await, "disabled");
}

async fn changes_hold_from_the_next_request_on(house: House) {
    let key = house.admin.issue(json!({"tags": ["edge"], "permissions": ["routes.read"]})).await;
    let changes = json!({"permissions": ["zones.read"], "tags": ["edge", "moved"]});
    let body =
        json!({"action": "update", "changes": changes, "filter": {"tag": "edge"}, "expected_count": 1});
    assert_eq!(bulk(&house, body).await["done"], 1);
    assert_eq!(
        house.asker.code(&key, json!({"permissions": "routes.read"})).await,
        "insufficient_permissions"
    );
    assert_eq!(house.asker.code(&key, json!({"permissions": "zones.read"})).await, "valid");
    assert_eq!(house.admin.show(&key).await["tags"], json!(["edge", "moved"]));
    let body =
        json!({"action": "update", "changes": {"roles": ["nobody"]}, "filter": {}, "expected_count": 1});
    let refused = bulk(&house, body).await;
    assert_eq!((&refused["done"], &refused["refused"][0]["id"]), (&json!(0), &json!(key.id)));
}

async fn the_key_that_calls_is_left_alone(house: House) {
    let body = json!({"action": "revoke", "reason": "All", "filter": {}, "expected_count": 9});
    let part = house.admin.post("/v1/projects/keystead/keys/bulk", body).await.ok();
    let own = house.admin.poke("/v1/whoami").await.ok()["id"].clone();
    assert_eq!(part["refused"][0]["id"], own);
    assert_eq!(part["refused"].as_array().unwrap().len(), 1);
}

async fn an_act_on_many_needs_what_the_act_on_one_needs(house: House) {
    house.admin.issue(json!({})).await;
    let reader = house.admin.issue_in("keystead", json!({"permissions": ["keys.read"]})).await;
    let reader = house.admin.with_key(&reader.key);
    let blind = house.admin.issue_in("keystead", json!({"permissions": ["keys.revoke"]})).await;
    let blind = house.admin.with_key(&blind.key);
    for dry_run in [true, false] {
        let body = json!({"action": "disable", "filter": {}, "expected_count": 1, "dry_run": dry_run});
        reader.post(BULK, body.clone()).await.refused(403, "forbidden");
        blind.post(BULK, body.clone()).await.refused(403, "forbidden");
        house.stranger.post(BULK, body.clone()).await.refused(401, "unauthenticated");
        assert_eq!(house.other.post(BULK, body).await.ok()["done"], 0);
    }
}

async fn nonsense_is_refused_with_its_field(house: House) {
    for (body, code, field) in [
        (json!({"action": "disable", "filter": {}}), "invalid_field", "/expected_count"),
        (json!({"action": "disable", "filter": {}, "reason": "x"}), "invalid_field", "/reason"),
        (json!({"action": "revoke", "filter": {}, "expected_count": 1}), "invalid_field", "/reason"),
        (json!({"action": "update", "filter": {}, "expected_count": 1}), "invalid_field", "/changes"),
        (json!({"action": "update", "filter": {}, "changes": {}}), "invalid_field", "/changes"),
        (
            json!({"action": "update", "filter": {}, "changes": {"credits": null}}),
            "invalid_field",
            "/changes/credits",
        ),
        (
            json!({"action": "disable", "filter": {}, "expected_count": 1, "rotation": {}}),
            "invalid_field",
            "/rotation",
        ),
        (
            json!({"action": "rotate", "filter": {}, "expected_count": 1, "rotation": {"overlap_seconds": 1}}),
            "invalid_field",
            "/rotation/overlap_seconds",
        ),
        (
            json!({"action": "disable", "filter": {"limit": 1}, "expected_count": 1}),
            "invalid_field",
            "/filter",
        ),
        (
            json!({"action": "disable", "filter": {"environment": "x"}, "expected_count": 1}),
            "unknown_name",
            "/filter/environment",
        ),
        (
            json!({"action": "disable", "filter": {}, "expected_count": 1, "limit": 201}),
            "invalid_field",
            "/limit",
        ),
        (
            json!({"action": "disable", "filter": {}, "expected_count": 1, "cursor": "x"}),
            "invalid_field",
            "/cursor",
        ),
        (
            json!({"action": "disable", "filter": {}, "expected_count": 1, "cursor": "9.x"}),
            "invalid_field",
            "/cursor",
        ),
    ] {
        house.admin.post(BULK, body).await.wrong_field(code, field);
    }
}
