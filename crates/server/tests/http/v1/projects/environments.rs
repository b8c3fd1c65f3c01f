//! `/v1/projects/{project}/environments`

use crate::house::{House, life_of, on_both_engines};
use serde_json::json;

on_both_engines! {
    an_environment_is_created_found_changed_and_deleted,
    its_tag_stands_in_its_keys,
    one_with_keys_is_not_deleted,
    wrong_fields_are_refused,
}

async fn an_environment_is_created_found_changed_and_deleted(house: House) {
    let (new, change) = (json!({"name": "Staging", "slug": "staging"}), json!({"name": "Rehearsal"}));
    life_of(&house, "environments", new, "staging", change).await;
}

async fn its_tag_stands_in_its_keys(house: House) {
    for (body, tag) in [
        (json!({"name": "Staging", "slug": "staging"}), "test"),
        (json!({"name": "EU 1", "slug": "eu-1"}), "eu1"),
        (json!({"name": "US", "slug": "us", "tag": "america"}), "america"),
    ] {
        let made = house.admin.post("/v1/projects/registry/environments", body).await.created();
        let key = house.admin.issue(json!({"environment": made["id"]})).await;
        assert!(key.key.starts_with(&format!("registry_{tag}_")), "{tag}");
    }
    let shown = house.admin.get("/v1/projects/registry/environments/production").await.ok();
    assert_eq!(shown["tag"], "live");
    let again = json!({"name": "Twin", "slug": "twin", "tag": "live"});
    house.admin.post("/v1/projects/registry/environments", again).await.refused(409, "conflict");
}

async fn one_with_keys_is_not_deleted(house: House) {
    let path = "/v1/projects/registry/environments/development";
    let key = house.admin.issue(json!({"environment": "development"})).await;
    house.admin.delete(path).await.refused(409, "conflict");
    house.admin.revoke(&key).await;
    house.admin.delete(path).await.refused(409, "conflict");
    house.admin.delete(&key.path()).await.gone();
    house.admin.delete(path).await.gone();
    let body = json!({"name": "A key", "environment": "development"});
    house.admin.post("/v1/projects/registry/keys", body).await.wrong_field("unknown_name", "/environment");
}

async fn wrong_fields_are_refused(house: House) {
    for (body, field) in [
        (json!({"name": "", "slug": "a"}), "/name"),
        (json!({"name": "A", "slug": "a_b"}), "/slug"),
        (json!({"name": "A", "slug": "a", "tag": "Live"}), "/tag"),
        (json!({"name": "A", "slug": "a", "tag": "x".repeat(17)}), "/tag"),
    ] {
        let answer = house.admin.post("/v1/projects/registry/environments", body).await;
        answer.wrong_field("invalid_field", field);
    }
    let fixed = json!({"slug": "prod"});
    let path = "/v1/projects/registry/environments/production";
    house.admin.patch(path, fixed).await.wrong_field("invalid_field", "");
}
