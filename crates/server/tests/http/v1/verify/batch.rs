//! `POST /v1/verify/batch`

use crate::house::{House, on_both_engines};
use serde_json::{Value, json};

on_both_engines! {
    verdicts_come_in_the_order_of_the_questions,
    one_to_a_thousand_may_be_asked,
    a_wrong_item_is_named_and_nothing_was_judged,
}

async fn verdicts_come_in_the_order_of_the_questions(house: House) {
    let valid = house.admin.issue(json!({"permissions": ["zones.read"]})).await;
    let limited = house.admin.issue(json!({"limits": [{"name": "one", "limit": 2, "window": "1m"}]})).await;
    let items = json!([
        {"key": valid.key},
        {"key": "nonsense"},
        {"key": limited.key},
        {"key": limited.key},
        {"key": limited.key},
        {"key": valid.key, "permissions": "routes.read"},
        {"key": valid.key, "permissions": "zones.read"},
        {"key": house.unknown_key()},
    ]);
    let answer = house.asker.post("/v1/verify/batch", json!({"items": items})).await.ok();
    let codes: Vec<_> =
        answer["items"].as_array().unwrap().iter().map(|one| one["code"].as_str().unwrap()).collect();
    let expected = [
        "valid",
        "malformed",
        "valid",
        "valid",
        "rate_limited",
        "insufficient_permissions",
        "valid",
        "not_found",
    ];
    assert_eq!(codes, expected);
    assert_eq!(answer["items"][2]["key_id"], limited.id.as_str());
}

async fn one_to_a_thousand_may_be_asked(house: House) {
    let key = house.admin.issue(json!({})).await;
    let batch = |count: usize| json!({"items": vec![json!({"key": key.key}); count]});
    let answer = house.asker.post("/v1/verify/batch", batch(1_000)).await.ok();
    let items = answer["items"].as_array().unwrap();
    assert!(items.len() == 1_000 && items.iter().all(|item| item["code"] == "valid"));
    for count in [0, 1_001] {
        house.asker.post("/v1/verify/batch", batch(count)).await.wrong_field("invalid_field", "/items");
    }
}

async fn a_wrong_item_is_named_and_nothing_was_judged(house: House) {
    let key = house.admin.issue(json!({"limits": [{"name": "one", "limit": 1, "window": "1m"}]})).await;
    let good = json!({"key": key.key});
    for (wrong, status, code, field) in [
        (json!({"key": key.key, "ip": "nowhere"}), 422, "invalid_field", json!("/items/1/ip")),
        (
            json!({"key": key.key, "environment": "staging"}),
            422,
            "unknown_name",
            json!("/items/1/environment"),
        ),
        (json!({"key": key.key, "environment": "development"}), 403, "forbidden", Value::Null),
        (
            json!({"key": key.key, "permissions": {"any": []}}),
            422,
            "invalid_field",
            json!("/items/1/permissions/any"),
        ),
    ] {
        let body = json!({"items": [good, wrong]});
        let problem = house.asker.post("/v1/verify/batch", body).await.refused(status, code);
        assert_eq!(problem["field"], field, "{problem}");
    }
    assert_eq!(house.asker.bare(&key).await, "valid");
}
