//! `POST /v1/whoami`

use crate::house::{House, on_both_engines};
use serde_json::json;

on_both_engines! {
    a_caller_sees_its_own_key_and_needs_nothing_for_it,
    a_raw_key_is_found_by_whoever_may_see_it,
    an_unknown_or_anothers_key_is_not_found,
}

async fn a_caller_sees_its_own_key_and_needs_nothing_for_it(house: House) {
    let nothing = house.admin.issue_in("keystead", json!({"name": "May nothing"})).await;
    let nobody = house.admin.with_key(&nothing.key);
    for answer in [nobody.poke("/v1/whoami").await, nobody.post("/v1/whoami", json!({})).await] {
        let who = answer.ok();
        assert_eq!((&who["own"], &who["id"]), (&json!(true), &json!(nothing.id)));
    }
    let own = nobody.post("/v1/whoami", json!({"key": nothing.key})).await.ok();
    assert_eq!((&own["own"], &own["name"]), (&json!(true), &json!("May nothing")));
    house.stranger.poke("/v1/whoami").await.refused(401, "unauthenticated");
}

async fn a_raw_key_is_found_by_whoever_may_see_it(house: House) {
    let key = house.admin.issue(json!({"environment": "development", "name": "Found on a disk"})).await;
    let raw = json!({"key": key.key});
    let who = house.admin.post("/v1/whoami", raw.clone()).await.ok();
    assert_eq!((&who["own"], &who["name"]), (&json!(false), &json!("Found on a disk")));
    // One that is no longer valid is still found.
    house.admin.revoke(&key).await;
    assert_eq!(house.admin.post("/v1/whoami", raw.clone()).await.ok()["status"], "revoked");
    house.asker.post("/v1/whoami", raw).await.refused(403, "forbidden");
}

async fn an_unknown_or_anothers_key_is_not_found(house: House) {
    let key = house.admin.issue(json!({})).await;
    let others = house.other.key().to_owned();
    for raw in [house.unknown_key(), house.others_secret(&key), others, "nonsense".to_owned(), String::new()]
    {
        house.admin.post("/v1/whoami", json!({"key": raw})).await.refused(404, "not_found");
    }
}
