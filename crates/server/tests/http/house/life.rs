//! The life that all things of a project share: created, found, listed, changed, deleted.

use super::House;
use http::Method;
use serde_json::{Value, json};

/// Lives it: `new` is sent, found by its id and by `name`, changed by `change`, and deleted.
pub(crate) async fn life_of(house: &House, what: &str, new: Value, name: &str, change: Value) {
    let (admin, list) = (&house.admin, format!("/v1/projects/registry/{what}"));
    let before = admin.get(&list).await.ok()["items"].as_array().unwrap().len();
    house.wait(1);
    let made = admin.post(&list, new.clone()).await.created();
    let id = made["id"].as_str().unwrap();
    for (field, value) in new.as_object().unwrap() {
        assert_eq!(&made[field], value, "{field}");
    }
    assert_eq!((&made["version"], &made["created_at"]), (&json!(1), &json!("2026-01-01T00:00:01Z")));
    let path = format!("{list}/{id}");
    assert_eq!(admin.get(&path).await.ok(), made);
    assert_eq!(admin.get(&format!("{list}/{name}")).await.ok(), made);
    admin.post(&list, new).await.refused(409, "conflict");

    let items = admin.get(&list).await.ok()["items"].as_array().unwrap().clone();
    assert_eq!((items.len(), &items[0]), (before + 1, &made), "the newest comes first");
    let first = admin.get(&format!("{list}?limit=1")).await.ok();
    let next = first["next_cursor"].as_str().unwrap();
    let second = admin.get(&format!("{list}?limit=1000&cursor={next}")).await.ok();
    assert_eq!(
        (first["items"][0].clone(), second["items"].as_array().unwrap().len()),
        (made.clone(), before)
    );

    house.wait(1);
    let at_version = async |method: Method, body: Option<Value>, version: &str| {
        admin.call(method, &path, body, &[("if-match", version)]).await
    };
    at_version(Method::PATCH, Some(change.clone()), "\"7\"").await.refused(412, "precondition_failed");
    let changed = at_version(Method::PATCH, Some(change.clone()), "\"1\"").await.ok();
    let mut expected = made.as_object().unwrap().clone();
    expected.extend(change.as_object().unwrap().clone());
    expected.insert("version".into(), json!(2));
    expected.insert("updated_at".into(), json!("2026-01-01T00:00:02Z"));
    assert_eq!(changed, Value::Object(expected));
    assert_eq!(admin.get(&path).await.ok(), changed);

    let (singular, _) = what.rsplit_once('s').unwrap();
    let singular = singular.replace('-', "_");
    // Acts of one instant have no order in the audit.
    house.wait(1);
    at_version(Method::DELETE, None, "\"1\"").await.refused(412, "precondition_failed");
    at_version(Method::DELETE, None, "\"2\"").await.gone();
    admin.get(&path).await.refused(404, "not_found");
    admin.delete(&path).await.refused(404, "not_found");
    admin.patch(&path, change).await.refused(404, "not_found");
    let acts = admin.audit(&format!("target={id}")).await;
    let actions: Vec<_> = acts.iter().map(|act| act["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["delete", "update", "create"].map(|act| format!("{singular}.{act}")));
}
