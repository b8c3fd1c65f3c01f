//! `/v1/projects/{project}/permissions`

use crate::house::{House, life_of, on_both_engines};
use serde_json::json;

on_both_engines! {
    a_permission_is_created_found_changed_and_deleted,
    one_that_is_granted_or_in_a_role_is_not_deleted,
    wrong_fields_are_refused,
}

async fn a_permission_is_created_found_changed_and_deleted(house: House) {
    let new = json!({"name": "mail.send", "description": "Sends", "public_safe": false, "sensitive": true});
    let change = json!({"description": "Sends mail", "public_safe": true, "sensitive": false});
    life_of(&house, "permissions", new, "mail.send", change).await;
}

async fn one_that_is_granted_or_in_a_role_is_not_deleted(house: House) {
    let key = house.admin.issue(json!({"permissions": ["zones.read"]})).await;
    let role = json!({"name": "reader", "permissions": ["networks.read"]});
    house.admin.post("/v1/projects/registry/roles", role).await.created();
    for name in ["zones.read", "networks.read"] {
        house
            .admin
            .delete(&format!("/v1/projects/registry/permissions/{name}"))
            .await
            .refused(409, "conflict");
    }
    house.admin.change(&key, json!({"permissions": []})).await;
    house.admin.delete("/v1/projects/registry/permissions/zones.read").await.gone();
    house
        .admin
        .patch(&key.path(), json!({"permissions": ["zones.read"]}))
        .await
        .wrong_field("unknown_name", "/permissions/0");
}

async fn wrong_fields_are_refused(house: House) {
    for (body, field) in [
        (json!({"name": "Zones.read"}), "/name"),
        (json!({"name": "zones.*"}), "/name"),
        (json!({"name": "a.b.c.d.e.f.g.h.i"}), "/name"),
        (json!({"name": "a", "description": "x".repeat(1_025)}), "/description"),
    ] {
        let answer = house.admin.post("/v1/projects/registry/permissions", body).await;
        answer.wrong_field("invalid_field", field);
    }
    let again = json!({"name": "zones.read"});
    house.admin.post("/v1/projects/registry/permissions", again).await.refused(409, "conflict");
}
