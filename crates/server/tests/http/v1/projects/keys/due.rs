//! `GET /v1/projects/{project}/keys/due`

use crate::house::{House, on_both_engines};
use http::Method;
use serde_json::json;

on_both_engines! {
    keys_are_soon_due_then_due_then_rotated,
    what_cannot_be_rotated_is_not_due,
    pages_are_stable_and_the_oldest_comes_first,
    a_cursor_of_something_else_is_refused,
}

const DUE: &str = "/v1/projects/registry/keys/due";
const DAY: i64 = 86_400;

async fn plan(house: &House) {
    let plan = json!({"max_age_days": 90, "notice_days": 14});
    house.admin.call(Method::PUT, "/v1/projects/registry/rotation-plan", Some(plan), &[]).await.ok();
}

async fn keys_are_soon_due_then_due_then_rotated(house: House) {
    let key = house.admin.issue(json!({"name": "Importer"})).await;
    house.wait(300 * DAY);
    // Nobody says how old a key may become.
    assert_eq!(house.admin.get(DUE).await.ok()["items"], json!([]));
    house.wait(-300 * DAY);
    plan(&house).await;
    house.wait(76 * DAY - 1);
    assert_eq!(house.admin.get(DUE).await.ok()["items"], json!([]));
    house.wait(1);
    let soon = house.admin.get(DUE).await.ok()["items"][0].clone();
    assert_eq!((&soon["state"], &soon["due_at"]), (&json!("soon"), &json!("2026-04-01T00:00:00Z")));
    assert_eq!((&soon["key"]["id"], &soon["key"]["name"]), (&json!(key.id), &json!("Importer")));
    assert_eq!(soon["why"], "It is 76 days old, and may become 90 days old.");
    house.wait(14 * DAY);
    assert_eq!(house.admin.get(DUE).await.ok()["items"][0]["state"], "due");
    house.admin.rotate(&key, json!({})).await;
    assert_eq!(house.admin.get(DUE).await.ok()["items"], json!([]));
    house.admin.turn(&key, "rotate/cancel", None).await;
    assert_eq!(house.admin.get(DUE).await.ok()["items"][0]["key"]["id"], key.id.as_str());
}

async fn what_cannot_be_rotated_is_not_due(house: House) {
    plan(&house).await;
    let revoked = house.admin.issue(json!({})).await;
    house.admin.issue(json!({"expires_at": "2026-02-01T00:00:00Z"})).await;
    let disabled = house.admin.issue(json!({})).await;
    house.admin.revoke(&revoked).await;
    house.admin.turn(&disabled, "disable", None).await;
    house.wait(90 * DAY);
    let items = house.admin.get(DUE).await.ok()["items"].as_array().unwrap().clone();
    let ids: Vec<_> = items.iter().map(|item| item["key"]["id"].as_str().unwrap()).collect();
    assert_eq!(ids, [disabled.id.as_str()]);
}

async fn pages_are_stable_and_the_oldest_comes_first(house: House) {
    plan(&house).await;
    let mut made = Vec::new();
    for _ in 0..3 {
        made.push(house.admin.issue(json!({})).await.id);
        house.wait(1);
    }
    house.wait(90 * DAY);
    let first = house.admin.get(&format!("{DUE}?limit=2")).await.ok();
    let next = first["next_cursor"].as_str().unwrap();
    let rest = house.admin.get(&format!("{DUE}?limit=2&cursor={next}")).await.ok();
    assert_eq!(rest["next_cursor"], json!(null));
    let items =
        [first["items"].as_array().unwrap().clone(), rest["items"].as_array().unwrap().clone()].concat();
    let ids: Vec<_> = items.iter().map(|item| item["key"]["id"].as_str().unwrap()).collect();
    assert_eq!(ids, made);
}

async fn a_cursor_of_something_else_is_refused(house: House) {
    plan(&house).await;
    house.admin.issue(json!({})).await;
    house.admin.issue(json!({})).await;
    house.wait(90 * DAY);
    let page = house.admin.get(&format!("{DUE}?limit=1")).await.ok();
    let cursor = page["next_cursor"].as_str().unwrap();
    // As long, and no id of a key.
    let other = format!("{}____{}", &cursor[..16], &cursor[20..]);
    house.admin.get(&format!("{DUE}?limit=1&cursor={other}")).await.refused(422, "invalid_field");
}
