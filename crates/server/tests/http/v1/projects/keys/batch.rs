//! `POST /v1/projects/{project}/keys/batch`

use crate::house::{House, on_both_engines};
use serde_json::{Value, json};

on_both_engines! {
    a_batch_is_issued_whole_and_each_key_works,
    a_batch_with_one_fault_issues_nothing_and_names_every_fault,
    a_batch_is_bounded,
    a_batch_needs_the_permission_in_each_environment,
}

const BATCH: &str = "/v1/projects/registry/keys/batch";
const KEYS: &str = "/v1/projects/registry/keys";

fn items(count: usize) -> Vec<Value> {
    let item = |n| json!({"name": format!("Key {n}"), "environment": "production", "tags": ["batch"]});
    (0..count).map(item).collect()
}

async fn a_batch_is_issued_whole_and_each_key_works(house: House) {
    let acts = house.admin.audit("action=key.create").await.len();
    let created = house.admin.post(BATCH, json!({"items": items(120)})).await.ok();
    let created = created["items"].as_array().unwrap().clone();
    assert_eq!(created.len(), 120);
    for (n, item) in created.iter().enumerate().step_by(17) {
        assert_eq!(item["name"], format!("Key {n}"));
        assert_eq!(house.asker.ask(item["key"].as_str().unwrap(), json!({})).await["code"], "valid");
    }
    assert_eq!(house.admin.audit("action=key.create").await.len(), acts + 120);
    assert_eq!(house.admin.get(&format!("{KEYS}/counts?tag=batch")).await.ok()["active"], 120);
}

async fn a_batch_with_one_fault_issues_nothing_and_names_every_fault(house: House) {
    let before = house.admin.audit("").await.len();
    let mut batch = items(5);
    batch[2]["roles"] = json!(["nobody"]);
    batch[4]["limits"] = json!([{"name": "a", "limit": 0, "window": "1m"}]);
    let problem = house.admin.post(BATCH, json!({"items": batch})).await;
    let problem = problem.wrong_field("unknown_name", "/items/2/roles/0");
    assert_eq!(problem["errors"].as_array().unwrap().len(), 1, "{problem}");
    assert!(problem["errors"][0]["field"].as_str().unwrap().starts_with("/items/4/limits/0"), "{problem}");
    let mut batch = items(5);
    batch[0]["name"] = json!("");
    batch[3]["expires_at"] = json!("2020-01-01T00:00:00Z");
    let problem = house.admin.post(BATCH, json!({"items": batch})).await;
    let problem = problem.wrong_field("invalid_field", "/items/0/name");
    assert_eq!(problem["errors"][0]["field"], "/items/3/expires_at");
    let mut batch = items(5);
    batch[1]["environment"] = json!("nowhere");
    house
        .admin
        .post(BATCH, json!({"items": batch}))
        .await
        .wrong_field("unknown_name", "/items/1/environment");
    assert_eq!(house.admin.get(KEYS).await.ok()["items"], json!([]));
    assert_eq!(house.admin.audit("").await.len(), before);
}

async fn a_batch_is_bounded(house: House) {
    house.admin.post(BATCH, json!({"items": []})).await.wrong_field("invalid_field", "/items");
    house.admin.post(BATCH, json!({"items": items(1_001)})).await.wrong_field("invalid_field", "/items");
    assert_eq!(house.admin.get(KEYS).await.ok()["items"], json!([]));
}

async fn a_batch_needs_the_permission_in_each_environment(house: House) {
    let narrowed =
        json!({"permission": "keys.create", "resources": ["projects/registry/environments/development"]});
    let key = house.admin.issue_in("keystead", json!({"permissions": [narrowed]})).await;
    let issuer = house.admin.with_key(&key.key);
    let development = json!({"name": "A", "environment": "development"});
    let production = json!({"name": "B", "environment": "production"});
    issuer.post(BATCH, json!({"items": [development, production]})).await.refused(403, "forbidden");
    issuer.post(BATCH, json!({"items": [development]})).await.ok();
    house.other.post(BATCH, json!({"items": [development]})).await.ok();
    assert_eq!(house.admin.get(&format!("{KEYS}/counts")).await.ok()["total"], 1);
}
