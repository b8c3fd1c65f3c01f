//! `POST /v1/verify` with `permissions`

use crate::house::{House, on_both_engines};
use serde_json::{Value, json};

on_both_engines! {
    one_all_any_nested_and_on_a_resource,
    a_narrowed_grant_does_not_hold_where_no_resource_is_named,
    a_pattern_gives_what_the_catalogue_knows_and_nothing_else,
    what_a_key_may_do_is_told,
    senseless_questions_are_refused,
}

async fn one_all_any_nested_and_on_a_resource(house: House) {
    let narrowed = json!({"permission": "networks.*", "resources": ["networks/NET-7"]});
    let key = house.admin.issue(json!({"permissions": ["zones.read", narrowed], "roles": ["editor"]})).await;
    let on = |permission: &str, resource: &str| json!({"permission": permission, "resource": resource});
    for (query, holds) in [
        (json!("zones.read"), true),
        (json!("networks.read"), false),
        (json!({"all": ["zones.read", "routes.write"]}), true),
        (json!({"all": ["zones.read", "networks.read"]}), false),
        (json!({"any": ["networks.read", "routes.write"]}), true),
        (json!({"any": ["networks.read", "networks.write"]}), false),
        (
            json!({"all": ["zones.read", {"any": ["networks.read", {"all": ["routes.read", "routes.write"]}]}]}),
            true,
        ),
        (json!({"any": [{"all": ["zones.read", "networks.read"]}, {"all": ["networks.write"]}]}), false),
        (on("networks.write", "networks/NET-7"), true),
        (on("networks.write", "networks/NET-8"), false),
        (json!({"all": [on("networks.read", "networks/NET-7"), "zones.read"]}), true),
        (on("zones.read", "zones/anything"), true),
    ] {
        let code = house.asker.code(&key, json!({"permissions": query})).await;
        assert_eq!(code, if holds { "valid" } else { "insufficient_permissions" }, "{query}");
    }
}

async fn a_narrowed_grant_does_not_hold_where_no_resource_is_named(house: House) {
    let narrowed = json!({"permission": "zones.read", "resources": ["zones/*", "archive/**"]});
    let role = json!({"role": "editor", "resources": ["routes/1"]});
    let key = house.admin.issue(json!({"permissions": [narrowed], "roles": [role]})).await;
    for (permission, resource, holds) in [
        ("zones.read", None, false),
        ("zones.read", Some("zones/a"), true),
        ("zones.read", Some("zones/a/b"), false),
        ("zones.read", Some("archive/a/b"), true),
        ("zones.read", Some("zones/../archive/a"), false),
        ("routes.read", Some("routes/1"), true),
        ("routes.read", Some("routes/2"), false),
        ("routes.read", None, false),
    ] {
        let mut request = json!({"permissions": permission});
        if let Some(resource) = resource {
            request["resource"] = json!(resource);
        }
        let code = house.asker.code(&key, request.clone()).await;
        assert_eq!(code, if holds { "valid" } else { "insufficient_permissions" }, "{request}");
    }
}

async fn a_pattern_gives_what_the_catalogue_knows_and_nothing_else(house: House) {
    let key = house.admin.issue(json!({"permissions": ["zones.*"]})).await;
    let ask = json!({"permissions": "zones.write"});
    assert_eq!(house.asker.code(&key, ask.clone()).await, "insufficient_permissions");
    house.admin.post("/v1/projects/registry/permissions", json!({"name": "zones.write"})).await.created();
    assert_eq!(house.asker.code(&key, ask.clone()).await, "valid");
    house.admin.delete("/v1/projects/registry/permissions/zones.write").await.gone();
    assert_eq!(house.asker.code(&key, ask).await, "insufficient_permissions");
}

async fn what_a_key_may_do_is_told(house: House) {
    let narrowed = json!({"permission": "zones.read", "resources": ["zones/a"]});
    let key = house.admin.issue(json!({"permissions": [narrowed], "roles": ["editor"]})).await;
    let verdict = house.asker.ask(&key.key, json!({})).await;
    assert_eq!(verdict["permissions"], json!(["routes.read", "routes.write"]));
    assert_eq!(
        verdict["narrowed_permissions"],
        json!([{"permission": "zones.read", "resources": ["zones/a"]}])
    );
}

async fn senseless_questions_are_refused(house: House) {
    let key = house.admin.issue(json!({"permissions": ["**"]})).await;
    let nested = |levels: usize| {
        (0..levels).fold(json!("zones.read"), |inner, level| {
            let word = if level % 2 == 0 { "all" } else { "any" };
            let mut object = serde_json::Map::new();
            object.insert(word.to_owned(), json!([inner]));
            Value::Object(object)
        })
    };
    assert_eq!(house.asker.code(&key, json!({"permissions": nested(8)})).await, "valid");
    let many = |count: usize| json!({"any": vec!["zones.read"; count]});
    assert_eq!(house.asker.code(&key, json!({"permissions": many(64)})).await, "valid");
    for wrong in [nested(9), many(65), json!({"all": []}), json!("zones.*"), json!({"any": ["Zones.read"]})] {
        let body = json!({"key": key.key, "permissions": wrong});
        let problem = house.asker.post("/v1/verify", body).await.refused(422, "invalid_field");
        assert!(problem["field"].as_str().unwrap().starts_with("/permissions"), "{problem}");
    }
    let mixed = json!({"key": key.key, "permissions": {"all": ["zones.read"], "any": ["zones.read"]}});
    house.asker.post("/v1/verify", mixed).await.wrong_field("invalid_field", "/permissions");
}
