//! `GET /v1/keys/{id}`

use crate::house::{House, on_both_engines};
use serde_json::json;

on_both_engines! {
    effective_permissions_say_where_they_come_from_and_what_takes_them,
    what_remains_is_shown_and_showing_takes_nothing,
}

async fn effective_permissions_say_where_they_come_from_and_what_takes_them(house: House) {
    let admin = &house.admin;
    let account = format!("/v1/projects/registry/service-accounts/{}", house.acme.account);
    admin.patch(&account, json!({"ceiling": ["routes.read", "zones.read"]})).await.ok();
    let narrowed = json!({"permission": "zones.read", "resources": ["zones/example.net"]});
    let key = admin.issue(json!({"owner": "worker", "roles": ["editor"], "permissions": [narrowed]})).await;
    let shown = admin.show(&key).await;
    let effective = shown["effective_permissions"].as_array().unwrap();
    let of = |name: &str| effective.iter().find(|one| one["permission"] == name).unwrap();
    assert_eq!(
        (&of("routes.read")["via"], &of("routes.read")["lost"]),
        (&json!("role editor"), &json!(null))
    );
    assert_eq!(of("zones.read")["resources"], json!(["zones/example.net"]));
    assert!(of("routes.write")["lost"].as_str().unwrap().contains("worker"), "{shown}");
    assert_eq!(effective.len(), 3);
}

async fn what_remains_is_shown_and_showing_takes_nothing(house: House) {
    let key = house
        .admin
        .issue(json!({
            "limits": [{"name": "minute", "limit": 10, "window": "1m"}],
            "quota": {"limit": 100, "per": "day"},
            "credits": {"remaining": 100},
        }))
        .await;
    for used in 0..3 {
        for _ in 0..2 {
            let shown = house.admin.show(&key).await;
            assert_eq!(shown["limit_status"][0]["remaining"], 10 - used, "{shown}");
            assert_eq!(shown["quota_status"][0]["remaining"], 100 - used);
            assert_eq!(shown["credits"]["remaining"], 100 - used);
        }
        let verdict = house.asker.ask(&key.key, json!({})).await;
        assert_eq!(verdict["limits"][0]["remaining"], 9 - used);
        assert_eq!(verdict["quotas"][0]["remaining"], 99 - used);
        assert_eq!(verdict["credits"]["remaining"], 99 - used);
    }
}
