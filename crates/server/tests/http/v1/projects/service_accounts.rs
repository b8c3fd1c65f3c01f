//! `/v1/projects/{project}/service-accounts`

use crate::house::{House, life_of, on_both_engines};
use serde_json::json;

on_both_engines! {
    a_service_account_is_created_found_changed_and_deleted,
    one_with_keys_is_not_deleted,
    a_ceiling_is_cleared_with_null,
    wrong_fields_are_refused,
}

async fn a_service_account_is_created_found_changed_and_deleted(house: House) {
    let new = json!({"name": "robot", "description": "Works", "ceiling": ["zones.*"]});
    let change = json!({"description": "Works hard", "ceiling": null, "disabled": true});
    life_of(&house, "service-accounts", new, "robot", change).await;
}

async fn one_with_keys_is_not_deleted(house: House) {
    let path = "/v1/projects/registry/service-accounts/worker";
    let key = house.admin.issue(json!({"owner": "worker"})).await;
    house.admin.delete(path).await.refused(409, "conflict");
    house.admin.change(&key, json!({"owner": house.acme.consumer})).await;
    house.admin.delete(path).await.gone();
    assert_eq!(house.asker.bare(&key).await, "valid");
}

async fn a_ceiling_is_cleared_with_null(house: House) {
    let path = "/v1/projects/registry/service-accounts/worker";
    let key = house.admin.issue(json!({"owner": "worker", "permissions": ["zones.read"]})).await;
    let ask = json!({"permissions": "zones.read"});
    for (ceiling, code) in [(json!([]), "insufficient_permissions"), (json!(null), "valid")] {
        assert_eq!(house.admin.patch(path, json!({"ceiling": ceiling})).await.ok()["ceiling"], ceiling);
        assert_eq!(house.asker.code(&key, ask.clone()).await, code);
    }
}

async fn wrong_fields_are_refused(house: House) {
    for (body, code, field) in [
        (json!({"name": "Robot"}), "invalid_field", "/name"),
        (json!({"name": "robot", "ceiling": ["mail.read"]}), "unknown_name", "/ceiling/0"),
        (json!({"name": "robot", "ceiling": ["Zones"]}), "invalid_field", "/ceiling/0"),
    ] {
        house.admin.post("/v1/projects/registry/service-accounts", body).await.wrong_field(code, field);
    }
    let again = json!({"name": "worker"});
    house.admin.post("/v1/projects/registry/service-accounts", again).await.refused(409, "conflict");
}
