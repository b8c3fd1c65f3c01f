//! `/v1/projects` and `/v1/projects/{project}`

use crate::house::{House, on_both_engines};
use serde_json::json;

on_both_engines! {
    a_project_is_created_found_and_changed,
    its_prefix_begins_its_keys_and_stays_whole_lessons_4,
    a_narrowed_caller_sees_its_projects_only,
    the_system_project_is_keysteads,
    wrong_fields_are_refused,
}

async fn a_project_is_created_found_and_changed(house: House) {
    let made = house.admin.post("/v1/projects", json!({"name": "Mail", "slug": "mail-eu"})).await.created();
    assert_eq!(
        (&made["prefix"], &made["system"], &made["version"]),
        (&json!("mail_eu"), &json!(false), &json!(1))
    );
    let path = format!("/v1/projects/{}", made["id"].as_str().unwrap());
    assert_eq!(house.admin.get(&path).await.ok(), made);
    assert_eq!(house.admin.get("/v1/projects/mail-eu").await.ok(), made);
    house
        .admin
        .post("/v1/projects", json!({"name": "Mail", "slug": "mail-eu"}))
        .await
        .refused(409, "conflict");
    // Another tenant's names are its own.
    house.other.post("/v1/projects", json!({"name": "Mail", "slug": "mail-eu"})).await.created();
    house.wait(1);
    let call = async |version: &str| {
        let body = Some(json!({"name": "Mail in Europe"}));
        house.admin.call(http::Method::PATCH, &path, body, &[("if-match", version)]).await
    };
    call("\"2\"").await.refused(412, "precondition_failed");
    let changed = call("\"1\"").await.ok();
    assert_eq!((&changed["name"], &changed["version"]), (&json!("Mail in Europe"), &json!(2)));
    assert_eq!(
        (&changed["slug"], &changed["updated_at"]),
        (&json!("mail-eu"), &json!("2026-01-01T00:00:01Z"))
    );
    let list = house.admin.get("/v1/projects?limit=1").await.ok();
    assert!(list["next_cursor"].is_string());
}

/// LESSONS 4: a prefix with underscores was cut at the first one.
async fn its_prefix_begins_its_keys_and_stays_whole_lessons_4(house: House) {
    let before = house.admin.issue(json!({})).await;
    house.admin.patch("/v1/projects/registry", json!({"prefix": "my_company_eu"})).await.ok();
    let after = house.admin.issue(json!({})).await;
    assert!(before.key.starts_with("registry_live_") && after.key.starts_with("my_company_eu_live_"));
    for key in [&before, &after] {
        assert_eq!(house.asker.bare(key).await, "valid");
    }
    let listed = house.admin.get("/v1/projects/registry/keys?prefix=my_company_eu_live_").await.ok();
    assert_eq!(listed["items"][0]["id"], after.id.as_str());
}

async fn a_narrowed_caller_sees_its_projects_only(house: House) {
    house.admin.post("/v1/projects", json!({"name": "Mail", "slug": "mail"})).await.created();
    let narrowed = json!([{"permission": "projects.*", "resources": ["projects/registry"]}]);
    let key = house.admin.issue_in("keystead", json!({"permissions": narrowed})).await;
    let narrow = house.admin.with_key(&key.key);
    let list = narrow.get("/v1/projects").await.ok();
    assert_eq!((list["items"].as_array().unwrap().len(), &list["items"][0]["slug"]), (1, &json!("registry")));
    narrow.get("/v1/projects/registry").await.ok();
    narrow.get("/v1/projects/mail").await.refused(403, "forbidden");
    narrow.patch("/v1/projects/registry", json!({"name": "Ours"})).await.ok();
    narrow.post("/v1/projects", json!({"name": "More", "slug": "more"})).await.refused(403, "forbidden");
}

async fn the_system_project_is_keysteads(house: House) {
    assert_eq!(house.admin.get("/v1/projects/keystead").await.ok()["system"], true);
    for (what, body) in [
        ("environments", json!({"name": "More", "slug": "more"})),
        ("permissions", json!({"name": "everything"})),
    ] {
        let answer = house.admin.post(&format!("/v1/projects/keystead/{what}"), body).await;
        answer.refused(409, "conflict");
    }
    house.admin.patch("/v1/projects/keystead", json!({"prefix": "mine"})).await.refused(409, "conflict");
}

async fn wrong_fields_are_refused(house: House) {
    for (body, field) in [
        (json!({"name": "", "slug": "a"}), "/name"),
        (json!({"name": "A", "slug": "A"}), "/slug"),
        (json!({"name": "A", "slug": "a".repeat(65)}), "/slug"),
        (json!({"name": "A", "slug": "a", "prefix": "1a"}), "/prefix"),
        (json!({"name": "A", "slug": "1a"}), "/prefix"),
        (json!({"slug": "a"}), "/name"),
        (json!({"name": "A", "slug": "a", "colour": "red"}), ""),
        (json!({"name": 7, "slug": "a"}), "/name"),
    ] {
        house.admin.post("/v1/projects", body).await.wrong_field("invalid_field", field);
    }
}
