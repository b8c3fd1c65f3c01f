//! `/v1/projects/{project}/consumers`

use crate::house::{House, life_of, on_both_engines};
use serde_json::{Value, json};

on_both_engines! {
    a_consumer_is_created_found_changed_and_deleted,
    null_clears_what_may_be_cleared,
    one_with_keys_is_not_deleted,
    wrong_fields_are_refused,
}

fn full() -> Value {
    json!({
        "name": "Second customer",
        "external_id": "customer-2",
        "contact": "noc@example.net",
        "ceiling": ["zones.*"],
        "limits": [{"name": "minute", "limit": 10, "window": "1m"}],
        "quota": {"limit": 1000, "per": "month"},
    })
}

async fn a_consumer_is_created_found_changed_and_deleted(house: House) {
    let change = json!({"name": "Renamed", "limits": [], "disabled": true, "contact": "abuse@example.net"});
    life_of(&house, "consumers", full(), "customer-2", change).await;
}

async fn null_clears_what_may_be_cleared(house: House) {
    let made = house.admin.post("/v1/projects/registry/consumers", full()).await.created();
    let path = format!("/v1/projects/registry/consumers/{}", made["id"].as_str().unwrap());
    for field in ["external_id", "contact", "ceiling", "quota"] {
        assert_ne!(house.admin.get(&path).await.ok()[field], Value::Null);
        assert_eq!(house.admin.patch(&path, json!({field: null})).await.ok()[field], Value::Null);
        assert_eq!(house.admin.get(&path).await.ok()[field], Value::Null);
    }
}

async fn one_with_keys_is_not_deleted(house: House) {
    let path = "/v1/projects/registry/consumers/customer-1";
    let key = house.admin.issue(json!({"consumer": "customer-1", "owner": "worker"})).await;
    house.admin.delete(path).await.refused(409, "conflict");
    house.admin.change(&key, json!({"consumer": null})).await;
    house.admin.delete(path).await.gone();
}

async fn wrong_fields_are_refused(house: House) {
    for (change, code, field) in [
        (json!({"name": ""}), "invalid_field", "/name"),
        (json!({"external_id": ""}), "invalid_field", "/external_id"),
        (json!({"contact": "nobody"}), "invalid_field", "/contact"),
        (json!({"ceiling": ["mail.read"]}), "unknown_name", "/ceiling/0"),
        (json!({"limits": [{"name": "a", "limit": 0, "window": "1m"}]}), "invalid_field", "/limits/0/limit"),
        (json!({"quota": {"limit": 0, "per": "day"}}), "invalid_field", "/quota/limit"),
    ] {
        let mut body = full();
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        house.admin.post("/v1/projects/registry/consumers", body).await.wrong_field(code, field);
        house
            .admin
            .patch("/v1/projects/registry/consumers/customer-1", change)
            .await
            .wrong_field(code, field);
    }
    let again = json!({"name": "Twin", "external_id": "customer-1"});
    house.admin.post("/v1/projects/registry/consumers", again).await.refused(409, "conflict");
}
