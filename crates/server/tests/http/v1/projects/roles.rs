//! `/v1/projects/{project}/roles`

use crate::house::{House, life_of, on_both_engines};
use serde_json::json;

on_both_engines! {
    a_role_is_created_found_changed_and_deleted,
    one_that_a_key_holds_is_not_deleted,
    unknown_permissions_are_refused_with_their_field,
    a_role_of_the_system_project_is_no_wider_than_its_writer,
}

async fn a_role_is_created_found_changed_and_deleted(house: House) {
    let new = json!({"name": "reader", "description": "Reads", "permissions": ["*.read", "zones.read"]});
    let change = json!({"description": "Reads much", "permissions": ["**"]});
    life_of(&house, "roles", new, "reader", change).await;
}

async fn one_that_a_key_holds_is_not_deleted(house: House) {
    let key = house.admin.issue(json!({"roles": ["editor"]})).await;
    house.admin.delete("/v1/projects/registry/roles/editor").await.refused(409, "conflict");
    house.admin.change(&key, json!({"roles": []})).await;
    house.admin.delete("/v1/projects/registry/roles/editor").await.gone();
    assert_eq!(house.asker.bare(&key).await, "valid");
}

async fn unknown_permissions_are_refused_with_their_field(house: House) {
    for (permissions, code, field) in [
        (json!(["zones.read", "mail.read"]), "unknown_name", "/permissions/1"),
        (json!(["mail.*"]), "unknown_name", "/permissions/0"),
        (json!(["zones.read", "zones.read"]), "invalid_field", "/permissions/1"),
        (json!(["**.read"]), "invalid_field", "/permissions/0"),
    ] {
        let body = json!({"name": "reader", "permissions": permissions});
        house.admin.post("/v1/projects/registry/roles", body).await.wrong_field(code, field);
        let change = json!({"permissions": permissions});
        house.admin.patch("/v1/projects/registry/roles/editor", change).await.wrong_field(code, field);
    }
}

async fn a_role_of_the_system_project_is_no_wider_than_its_writer(house: House) {
    let maker = house.admin.issue_in("keystead", json!({"permissions": ["catalogue.*", "audit.read"]})).await;
    let maker = house.admin.with_key(&maker.key);
    let role = |permissions: &[&str]| json!({"name": "reviewer", "permissions": permissions});
    for wider in [&["keys.create"][..], &["**"], &["audit.read", "keys.*"]] {
        maker.post("/v1/projects/keystead/roles", role(wider)).await.refused(403, "forbidden");
    }
    maker.post("/v1/projects/keystead/roles", role(&["audit.read"])).await.created();
    let wider = json!({"permissions": ["audit.read", "keys.read"]});
    maker.patch("/v1/projects/keystead/roles/reviewer", wider).await.refused(403, "forbidden");
}
