//! `POST /v1/verify`: whose keys may be asked about, and where

use crate::house::{House, on_both_engines};
use serde_json::json;

on_both_engines! {
    a_development_key_is_not_found_in_production,
    a_pinned_asker_may_leave_project_and_environment_out,
    an_unpinned_asker_may_not,
    the_operator_may,
    a_pinned_asker_is_held_to_its_place,
    keys_that_prove_nothing_tell_nothing,
    explaining_needs_more_than_asking,
    metadata_is_told_only_when_asked_for,
}

async fn a_development_key_is_not_found_in_production(house: House) {
    let key = house.admin.issue(json!({"environment": "development"})).await;
    let verdict = house.asker.ask(&key.key, json!({})).await;
    let stranger =
        house.asker.ask("registry_live_000000000000000000000000000000000000000000002yZQ3W", json!({})).await;
    assert_eq!(verdict["code"], "not_found");
    assert!(["not_found", "malformed"].contains(&stranger["code"].as_str().unwrap()));
    for field in ["key_id", "project", "environment", "owner", "expires_at"] {
        assert_eq!(verdict[field], json!(null), "{field}");
    }
    let developer = house.admin.make_asker("registry", "development").await;
    assert_eq!(developer.bare(&key).await, "valid");
    let other_project = json!({"name": "Mail", "slug": "mail"});
    house.admin.post("/v1/projects", other_project).await.created();
    let environment = json!({"name": "Production", "slug": "production"});
    house.admin.post("/v1/projects/mail/environments", environment).await.created();
    let mail = house.admin.make_asker("mail", "production").await;
    let live = house.admin.issue(json!({})).await;
    assert_eq!(mail.bare(&live).await, "not_found");
}

async fn a_pinned_asker_may_leave_project_and_environment_out(house: House) {
    let key = house.admin.issue(json!({})).await;
    for place in [
        json!({}),
        json!({"project": "registry", "environment": "production"}),
        json!({"project": house.acme.project, "environment": house.acme.environment}),
        json!({"project": "registry"}),
        json!({"environment": "production"}),
    ] {
        assert_eq!(house.asker.code(&key, place.clone()).await, "valid", "{place}");
    }
}

async fn an_unpinned_asker_may_not(house: House) {
    let key = house.admin.issue(json!({})).await;
    let both = json!([{"permission": "keys.verify", "resources": [
        "projects/registry/environments/production", "projects/registry/environments/development"]}]);
    let project = json!([{"permission": "keys.verify", "resources": ["projects/registry"]}]);
    for (permissions, field) in
        [(json!(["keys.verify"]), "/project"), (both, "/project"), (project, "/environment")]
    {
        let asker = house.admin.issue_in("keystead", json!({"permissions": permissions})).await;
        let asker = house.admin.with_key(&asker.key);
        asker.post("/v1/verify", json!({"key": key.key})).await.wrong_field("invalid_field", field);
        let named = json!({"key": key.key, "project": "registry", "environment": "production"});
        assert_eq!(asker.post("/v1/verify", named).await.ok()["code"], "valid");
    }
}

async fn the_operator_may(house: House) {
    let own = house.operator.key().to_owned();
    let verdict = house.operator.post("/v1/verify", json!({"key": &own})).await.ok();
    assert_eq!((&verdict["code"], &verdict["project"]), (&json!("valid"), &json!("keystead")));
    // An environment alone would be overlooked, so it is refused.
    let half = json!({"key": own, "environment": "development"});
    house.operator.post("/v1/verify", half).await.wrong_field("invalid_field", "/project");
    // But tenants' keys are the tenants'.
    let key = house.admin.issue(json!({})).await;
    assert_eq!(house.operator.post("/v1/verify", json!({"key": key.key})).await.ok()["code"], "not_found");
}

async fn a_pinned_asker_is_held_to_its_place(house: House) {
    let key = house.admin.issue(json!({"environment": "development"})).await;
    let elsewhere = json!({"key": key.key, "project": "registry", "environment": "development"});
    house.asker.post("/v1/verify", elsewhere).await.refused(403, "forbidden");
    house.asker.get(&key.path()).await.refused(403, "forbidden");
    house.asker.get("/v1/projects/registry/keys").await.refused(403, "forbidden");
    house.asker.get("/v1/projects/registry/keys?environment=production").await.ok();
    for (project, environment, field) in
        [("registri", "production", "/project"), ("registry", "staging", "/environment")]
    {
        let body = json!({"key": key.key, "project": project, "environment": environment});
        house.asker.post("/v1/verify", body).await.wrong_field("unknown_name", field);
    }
}

async fn keys_that_prove_nothing_tell_nothing(house: House) {
    let key = house.admin.issue(json!({"credits": {"remaining": 5}})).await;
    house.admin.turn(&key, "disable", None).await;
    let mut mistyped = key.key.clone();
    mistyped.pop();
    for (text, code) in [
        ("", "malformed"),
        ("nonsense", "malformed"),
        (mistyped.as_str(), "malformed"),
        (house.others_secret(&key).as_str(), "wrong_secret"),
        (house.unknown_key().as_str(), "not_found"),
        ("x".repeat(100_000).as_str(), "malformed"),
    ] {
        let verdict = house.asker.ask(text, json!({"include": ["metadata"]})).await;
        assert_eq!(verdict["code"], code);
        let mut told: Vec<_> = verdict
            .as_object()
            .unwrap()
            .iter()
            .filter(|(_, value)| !value.is_null() && **value != json!([]))
            .map(|(name, _)| name.as_str())
            .collect();
        told.sort_unstable();
        assert_eq!(told, ["code", "request_id", "valid"], "{verdict}");
    }
}

async fn explaining_needs_more_than_asking(house: House) {
    let key = house.admin.issue(json!({})).await;
    let narrowed =
        json!([{"permission": "keys.verify", "resources": ["projects/registry/environments/production"]}]);
    let asker = house.admin.issue_in("keystead", json!({"permissions": narrowed})).await;
    let asker = house.admin.with_key(&asker.key);
    asker.post("/v1/verify", json!({"key": key.key, "explain": true})).await.refused(403, "forbidden");
    let verdict = asker.post("/v1/verify", json!({"key": key.key})).await.ok();
    assert_eq!((&verdict["code"], verdict.get("explanation")), (&json!("valid"), None));
}

async fn metadata_is_told_only_when_asked_for(house: House) {
    let key = house.admin.issue(json!({"metadata": {"plan": "gold"}})).await;
    assert_eq!(house.asker.ask(&key.key, json!({})).await.get("metadata"), None);
    let verdict = house.asker.ask(&key.key, json!({"include": ["metadata"]})).await;
    assert_eq!(verdict["metadata"], json!({"plan": "gold"}));
}
