//! `PATCH /v1/keys/{id}`

use crate::house::{House, on_both_engines};
use crate::v1::projects::keys::create::full;
use serde_json::{Value, json};

on_both_engines! {
    each_field_is_changed_alone_and_nothing_else_with_it,
    null_clears_what_may_be_cleared_and_nothing_else,
    of_two_editors_the_second_is_told,
    the_next_request_sees_each_change_lessons_12,
    a_limit_that_keeps_its_name_keeps_its_count,
    new_credits_replace_what_was_left,
    unknown_names_and_fields_are_refused,
}

async fn each_field_is_changed_alone_and_nothing_else_with_it(house: House) {
    let key = house.admin.issue(full()).await;
    let changes = [
        ("name", json!("Another")),
        ("permissions", json!(["routes.read"])),
        ("roles", json!([])),
        ("restrictions", json!({"origins": ["https://example.org"]})),
        ("limits", json!([{"name": "hour", "limit": 7, "window": "1h"}])),
        ("quota", json!({"limit": 5, "per": "hour"})),
        ("not_before", json!("2026-03-01T00:00:00Z")),
        ("expires_at", json!("2026-04-01T00:00:00Z")),
        ("tags", json!(["new"])),
        ("metadata", json!({"a": 1})),
    ];
    let mut expected = house.admin.show(&key).await;
    for (index, (field, value)) in changes.into_iter().enumerate() {
        house.wait(1);
        house.admin.change(&key, json!({field: value})).await;
        let shown = house.admin.show(&key).await;
        assert_eq!(shown["version"], 2 + index);
        for (name, old) in expected.as_object().unwrap() {
            // What follows from the others is shown with them.
            let follows = ["version", "updated_at", "effective_permissions", "limit_status", "quota_status"];
            if name == field {
                assert_eq!(shown[name], value);
            } else if !follows.contains(&name.as_str()) {
                assert_eq!(&shown[name], old, "{name} changed with {field}");
            }
        }
        expected = shown;
    }
    let owner = json!({"owner": house.acme.consumer});
    assert_eq!(house.admin.change(&key, owner).await["owner"]["id"], house.acme.consumer.as_str());
}

async fn null_clears_what_may_be_cleared_and_nothing_else(house: House) {
    let key = house.admin.issue(full()).await;
    for field in ["consumer", "quota", "credits", "not_before", "expires_at"] {
        assert_ne!(house.admin.show(&key).await[field], Value::Null);
        assert_eq!(house.admin.change(&key, json!({field: null})).await[field], Value::Null, "{field}");
    }
    // Of these `null` means "as it is".
    for field in ["name", "owner", "permissions", "roles", "restrictions", "limits", "tags", "metadata"] {
        let before = house.admin.show(&key).await[field].clone();
        let answer = house.admin.patch(&key.path(), json!({field: null})).await;
        assert!([200, 422].contains(&answer.status.as_u16()), "{field}: {}", answer.text);
        assert_eq!(house.admin.show(&key).await[field], before, "{field}");
    }
}

async fn of_two_editors_the_second_is_told(house: House) {
    let key = house.admin.issue(json!({})).await;
    let seen = house.admin.get(&key.path()).await.headers["etag"].to_str().unwrap().to_owned();
    let edit = async |name: &str, version: &str| {
        let body = Some(json!({"name": name}));
        house.admin.call(http::Method::PATCH, &key.path(), body, &[("if-match", version)]).await
    };
    assert_eq!(edit("First", &seen).await.ok()["version"], 2);
    edit("Second", &seen).await.refused(412, "precondition_failed");
    assert_eq!(house.admin.show(&key).await["name"], "First");
    assert_eq!(edit("Second", "\"2\"").await.ok()["name"], "Second");
    edit("Third", "nonsense").await.refused(400, "invalid_request");
}

/// LESSONS 12: stale caches after a change gave intermittent answers.
async fn the_next_request_sees_each_change_lessons_12(house: House) {
    let key = house.admin.issue(json!({})).await;
    let ask = json!({"ip": "192.0.2.1", "method": "GET", "path": "/v1/zones/7", "origin": "https://a.example",
        "permissions": "routes.read"});
    let narrow = |restrictions: Value| json!({"restrictions": restrictions});
    for (change, code) in [
        (json!({"name": "Still without permissions"}), "insufficient_permissions"),
        (json!({"permissions": ["routes.*"]}), "valid"),
        (narrow(json!({"networks": {"deny": ["192.0.2.0/24"]}})), "network_denied"),
        (narrow(json!({"networks": {"allow": ["192.0.2.0/24"]}})), "valid"),
        (narrow(json!({"origins": ["https://b.example"]})), "origin_denied"),
        (narrow(json!({"endpoints": [{"methods": ["POST"], "path": "/**"}]})), "endpoint_denied"),
        (
            narrow(
                json!({"hours": {"time_zone": "UTC", "weekly": [{"days": ["fri"], "from": "00:00", "to": "24:00"}]}}),
            ),
            "condition_denied",
        ),
        (narrow(json!({})), "valid"),
        (json!({"permissions": [], "roles": ["editor"]}), "valid"),
        (json!({"roles": []}), "insufficient_permissions"),
        (json!({"permissions": ["routes.read"], "expires_at": "2026-01-01T00:00:01Z"}), "valid"),
        (json!({"not_before": "2026-01-01T00:00:00.5Z"}), "not_yet_valid"),
        (json!({"not_before": null, "expires_at": null}), "valid"),
        (json!({"credits": {"remaining": 0}}), "credits_exhausted"),
        (json!({"credits": null}), "valid"),
    ] {
        house.admin.change(&key, change.clone()).await;
        assert_eq!(house.asker.code(&key, ask.clone()).await, code, "after {change}");
    }
}

async fn a_limit_that_keeps_its_name_keeps_its_count(house: House) {
    let limit = |name: &str, limit: u64| json!({"limits": [{"name": name, "limit": limit, "window": "1h"}]});
    let key = house.admin.issue(limit("a", 2)).await;
    assert_eq!(house.asker.bare(&key).await, "valid");
    assert_eq!(house.asker.bare(&key).await, "valid");
    house.admin.change(&key, json!({"name": "Renamed"})).await;
    assert_eq!(house.asker.bare(&key).await, "rate_limited");
    house.admin.change(&key, limit("a", 2)).await;
    assert_eq!(house.asker.bare(&key).await, "rate_limited");
    house.admin.change(&key, limit("b", 2)).await;
    assert_eq!(house.asker.bare(&key).await, "valid");
}

async fn new_credits_replace_what_was_left(house: House) {
    let key = house.admin.issue(json!({"credits": {"remaining": 100}})).await;
    assert_eq!(house.asker.bare(&key).await, "valid");
    house.admin.change(&key, json!({"credits": {"remaining": 2}})).await;
    assert_eq!(house.admin.show(&key).await["credits"]["remaining"], 2);
    let counts = house.asker.at_once(&[&key], 8, 2).await;
    assert_eq!((counts["valid"], counts["credits_exhausted"]), (2, 6));
}

async fn unknown_names_and_fields_are_refused(house: House) {
    let key = house.admin.issue(json!({})).await;
    for (body, code, field) in [
        (json!({"owner": "nobody"}), "unknown_name", "/owner"),
        (json!({"consumer": "customer-2"}), "unknown_name", "/consumer"),
        (json!({"permissions": ["mail.read"]}), "unknown_name", "/permissions/0"),
        (json!({"roles": ["auditor"]}), "unknown_name", "/roles/0"),
        (json!({"expires_at": "2020-01-01T00:00:00Z"}), "invalid_field", "/expires_at"),
        (json!({"environment": "development"}), "invalid_field", ""),
    ] {
        house.admin.patch(&key.path(), body).await.wrong_field(code, field);
    }
    assert_eq!(house.admin.show(&key).await["version"], 1);
}
