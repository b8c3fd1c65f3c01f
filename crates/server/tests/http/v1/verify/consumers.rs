//! `POST /v1/verify` of keys that belong to somebody: ceilings, shared limits, roles

use crate::house::{House, on_both_engines};
use serde_json::{Value, json};

on_both_engines! {
    a_consumers_limit_is_shared_by_its_keys,
    a_consumers_quota_is_shared_by_its_keys,
    a_ceiling_holds_from_the_next_request_on,
    a_role_change_holds_from_the_next_request_on,
    a_disabled_consumer_stops_all_of_its_keys,
    a_disabled_owner_stops_all_of_its_keys,
    both_ceilings_hold_for_a_key_issued_by_one_to_another,
}

async fn consumer(house: &House, body: Value) -> Value {
    house.admin.patch(&format!("/v1/projects/registry/consumers/{}", house.acme.consumer), body).await.ok()
}

async fn a_consumers_limit_is_shared_by_its_keys(house: House) {
    consumer(&house, json!({"limits": [{"name": "minute", "limit": 10, "window": "1m"}]})).await;
    let first = house.admin.issue(json!({"consumer": "customer-1"})).await;
    let second = house.admin.issue(json!({"consumer": "customer-1", "owner": "worker"})).await;
    let stranger = house.admin.issue(json!({})).await;
    let counts = house.asker.at_once(&[&first, &second], 32, 8).await;
    assert_eq!((counts["valid"], counts["rate_limited"]), (10, 22), "{counts:?}");
    let verdict = house.asker.ask(&first.key, json!({})).await;
    assert_eq!(
        (&verdict["limits"][0]["of"], &verdict["limits"][0]["remaining"]),
        (&json!("consumer"), &json!(0))
    );
    assert_eq!(house.asker.bare(&stranger).await, "valid");
}

async fn a_consumers_quota_is_shared_by_its_keys(house: House) {
    consumer(&house, json!({"quota": {"limit": 10, "per": "day"}})).await;
    let first = house.admin.issue(json!({"consumer": "customer-1"})).await;
    let second = house.admin.issue(json!({"consumer": "customer-1"})).await;
    let counts = house.asker.at_once(&[&first, &second], 16, 4).await;
    assert_eq!((counts["valid"], counts["quota_exceeded"]), (10, 6), "{counts:?}");
    assert_eq!(house.admin.show(&second).await["quota_status"][0]["of"], "consumer");
}

async fn a_ceiling_holds_from_the_next_request_on(house: House) {
    let key = house
        .admin
        .issue(json!({"consumer": "customer-1", "permissions": ["zones.read"], "roles": ["editor"]}))
        .await;
    let ask = json!({"permissions": {"all": ["zones.read", "routes.write"]}});
    for (ceiling, code) in [
        (json!(null), "valid"),
        (json!(["zones.*"]), "insufficient_permissions"),
        (json!(["zones.*", "routes.write"]), "valid"),
        (json!([]), "insufficient_permissions"),
        (json!(["**"]), "valid"),
    ] {
        consumer(&house, json!({"ceiling": ceiling})).await;
        assert_eq!(house.asker.code(&key, ask.clone()).await, code, "{ceiling}");
    }
    let told = house.asker.ask(&key.key, json!({})).await;
    assert_eq!(told["consumer"]["external_id"], "customer-1");
}

async fn a_role_change_holds_from_the_next_request_on(house: House) {
    let key = house.admin.issue(json!({"roles": ["editor"]})).await;
    let ask = json!({"permissions": "zones.read"});
    for (permissions, code) in [
        (json!(["routes.*", "zones.read"]), "valid"),
        (json!(["routes.*"]), "insufficient_permissions"),
        (json!(["**"]), "valid"),
        (json!([]), "insufficient_permissions"),
    ] {
        house
            .admin
            .patch("/v1/projects/registry/roles/editor", json!({"permissions": permissions}))
            .await
            .ok();
        assert_eq!(house.asker.code(&key, ask.clone()).await, code, "{permissions}");
    }
}

async fn a_disabled_consumer_stops_all_of_its_keys(mut house: House) {
    let key = house.admin.issue(json!({"consumer": "customer-1", "owner": "worker"})).await;
    consumer(&house, json!({"disabled": true})).await;
    assert_eq!(house.asker.bare(&key).await, "disabled");
    house.restart().await;
    assert_eq!(house.asker.bare(&key).await, "disabled");
    consumer(&house, json!({"disabled": false})).await;
    assert_eq!(house.asker.bare(&key).await, "valid");
}

async fn a_disabled_owner_stops_all_of_its_keys(house: House) {
    let key = house.admin.issue(json!({"owner": "worker"})).await;
    let disable = async |disabled: bool| {
        let path = "/v1/projects/registry/service-accounts/worker";
        house.admin.patch(path, json!({"disabled": disabled})).await.ok();
    };
    disable(true).await;
    assert_eq!(house.asker.bare(&key).await, "disabled");
    disable(false).await;
    assert_eq!(house.asker.bare(&key).await, "valid");
}

async fn both_ceilings_hold_for_a_key_issued_by_one_to_another(house: House) {
    let path = "/v1/projects/registry/service-accounts/worker";
    house.admin.patch(path, json!({"ceiling": ["zones.read", "routes.read"]})).await.ok();
    consumer(&house, json!({"ceiling": ["zones.read", "networks.read"]})).await;
    let key =
        house.admin.issue(json!({"consumer": "customer-1", "owner": "worker", "permissions": ["**"]})).await;
    let verdict = house.asker.ask(&key.key, json!({})).await;
    assert_eq!(verdict["permissions"], json!(["zones.read"]));
}
