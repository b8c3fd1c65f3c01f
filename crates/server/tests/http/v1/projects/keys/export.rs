//! `GET /v1/projects/{project}/keys/export`

use crate::house::{House, on_both_engines};
use serde_json::{Value, json};

on_both_engines! {
    every_key_that_matches_is_exported_once_without_its_secret,
    an_export_says_when_it_is_whole,
    an_export_needs_the_right_to_see_keys,
}

const EXPORT: &str = "/v1/projects/registry/keys/export";

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

async fn every_key_that_matches_is_exported_once_without_its_secret(house: House) {
    let batch: Vec<Value> = (0..520)
        .map(|n| json!({"name": format!("Key {n}"), "environment": "production", "tags": ["many"]}))
        .collect();
    house.admin.post("/v1/projects/registry/keys/batch", json!({"items": batch})).await.ok();
    let one = house.admin.issue(json!({"name": "Set apart", "metadata": {"a": 1}})).await;
    let answer = house.admin.get(EXPORT).await;
    assert_eq!(answer.headers["content-type"], "application/x-ndjson");
    let all = lines(&answer.text);
    assert_eq!((&all[0]["type"], &all[0]["data"]["project"]), (&json!("head"), &json!("registry")));
    let keys: Vec<_> = all.iter().filter(|line| line["type"] == "key").collect();
    assert_eq!(keys.len(), 521);
    let ids: std::collections::BTreeSet<_> = keys.iter().map(|key| key["data"]["id"].as_str()).collect();
    assert_eq!(ids.len(), 521);
    let listed = house.admin.get("/v1/projects/registry/keys?text=set%20apart").await.ok();
    let exported = keys.iter().find(|key| key["data"]["id"] == one.id).unwrap();
    assert_eq!(exported["data"], listed["items"][0]);
    let some = lines(&house.admin.get(&format!("{EXPORT}?text=set%20apart")).await.text);
    assert_eq!(some.len(), 3);
}

async fn an_export_says_when_it_is_whole(house: House) {
    let none = lines(&house.admin.get(EXPORT).await.text);
    assert_eq!(none.last().unwrap(), &json!({"type": "end", "data": {"lines": 0}}));
    house.admin.issue(json!({})).await;
    let one = lines(&house.admin.get(EXPORT).await.text);
    assert_eq!(one.last().unwrap(), &json!({"type": "end", "data": {"lines": 1}}));
    house.admin.get(&format!("{EXPORT}?limit=5")).await.wrong_field("invalid_field", "/limit");
    house.admin.get(&format!("{EXPORT}?cursor=x")).await.wrong_field("invalid_field", "/cursor");
}

async fn an_export_needs_the_right_to_see_keys(house: House) {
    house.admin.issue(json!({})).await;
    let blind = house.admin.issue_in("keystead", json!({"permissions": ["keys.create"]})).await;
    house.admin.with_key(&blind.key).get(EXPORT).await.refused(403, "forbidden");
    assert_eq!(lines(&house.other.get(EXPORT).await.text).len(), 2);
}
