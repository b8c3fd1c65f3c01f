//! `GET /v1/audit`

mod checkpoints;
mod export;

use crate::house::{House, on_both_engines};
use serde_json::{Value, json};

on_both_engines! {
    an_act_is_recorded_with_who_what_when_and_from_where,
    only_what_changed_is_in_a_record,
    a_refused_act_leaves_no_record,
    every_filter_narrows,
    what_a_key_did_and_what_was_done_to_it_is_one_question_whatever_it_became,
    pages_hold_every_record_once,
    a_tenant_reads_its_own_acts_only,
}

async fn an_act_is_recorded_with_who_what_when_and_from_where(house: House) {
    let key = house.admin.issue(json!({"name": "Website", "tags": ["web"]})).await;
    let acts = house.admin.audit(&format!("target={}", key.id)).await;
    let [act] = acts.as_slice() else { panic!("{acts:?}") };
    let own = house.admin.poke("/v1/whoami").await.ok();
    assert!(act["id"].as_str().unwrap().starts_with("aud_"));
    assert_eq!(
        act["actor"],
        json!({"kind": "key", "key_id": own["id"], "owner": own["owner"]["id"],
        "lineage": own["id"]})
    );
    assert_eq!(act["target"], json!({"kind": "key", "id": key.id, "name": "Website", "lineage": key.id}));
    for (field, value) in [
        ("action", json!("key.create")),
        ("at", json!("2026-01-01T00:00:00Z")),
        ("address", json!("127.0.0.1")),
        ("project", json!(house.acme.project)),
        ("before", Value::Null),
    ] {
        assert_eq!(act[field], value, "{field}");
    }
    assert_eq!((&act["after"]["tags"], act["after"].get("key")), (&json!(["web"]), None));
    assert!(act["request_id"].as_str().unwrap().starts_with("req_"));
}

async fn only_what_changed_is_in_a_record(house: House) {
    let key = house.admin.issue(json!({"name": "Before"})).await;
    house.wait(1);
    house.admin.change(&key, json!({"name": "After"})).await;
    let act = &house.admin.audit(&format!("target={}&action=key.update", key.id)).await[0];
    let (start, later) = ("2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z");
    assert_eq!(act["before"], json!({"name": "Before", "updated_at": start, "version": 1}));
    assert_eq!(act["after"], json!({"name": "After", "updated_at": later, "version": 2}));
}

async fn a_refused_act_leaves_no_record(house: House) {
    let key = house.admin.issue(json!({})).await;
    let before = house.admin.audit("").await;
    house.admin.delete(&key.path()).await.refused(409, "conflict");
    house.admin.patch(&key.path(), json!({"roles": ["auditor"]})).await.refused(422, "unknown_name");
    house.asker.patch(&key.path(), json!({"name": "Mine"})).await.refused(403, "forbidden");
    house.other.patch(&key.path(), json!({"name": "Mine"})).await.refused(404, "not_found");
    let taken = json!({"name": "Registry", "slug": "registry"});
    house.admin.post("/v1/projects", taken).await.refused(409, "conflict");
    assert_eq!(house.admin.audit("").await, before);
}

async fn every_filter_narrows(house: House) {
    house.at("2026-01-02T00:00:00Z");
    let key = house.admin.issue(json!({"name": "Website"})).await;
    house.wait(1);
    let answer = house.admin.patch(&key.path(), json!({"name": "Shop"})).await;
    let request = answer.headers["x-request-id"].to_str().unwrap().to_owned();
    let maker = house.admin.issue_in("keystead", json!({"permissions": ["projects.write"]})).await;
    let maker_key = house.admin.with_key(&maker.key);
    maker_key.patch("/v1/projects/registry", json!({"name": "The registry"})).await.ok();
    for (query, actions) in [
        (format!("target={}", key.id), vec!["key.update", "key.create"]),
        (format!("target={}&action=key.create", key.id), vec!["key.create"]),
        (format!("request_id={request}"), vec!["key.update"]),
        (format!("actor={}", maker.id), vec!["project.update"]),
        (format!("since=2026-01-02T00:00:00Z&target={}", key.id), vec!["key.update", "key.create"]),
        (format!("since=2026-01-02T00:00:00.000001Z&target={}", key.id), vec!["key.update"]),
        (format!("until=2026-01-02T00:00:01Z&target={}", key.id), vec!["key.create"]),
        (
            "project=registry&since=2026-01-02T00:00:00Z".to_owned(),
            vec!["project.update", "key.update", "key.create"],
        ),
        (format!("project={}&action=project.update", house.acme.project), vec!["project.update"]),
        ("action=key".to_owned(), vec![]),
    ] {
        let acts = house.admin.audit(&query).await;
        let found: Vec<_> = acts.iter().map(|act| act["action"].as_str().unwrap()).collect();
        assert_eq!(
            (found.len(), found.iter().filter(|action| actions.contains(action)).count()),
            (actions.len(), actions.len()),
            "{query}: {found:?}"
        );
    }
    for (query, code, field) in [
        ("project=mail", "unknown_name", "/project"),
        ("actor=me", "invalid_field", "/actor"),
        ("since=yesterday", "invalid_field", "/since"),
        ("limit=0", "invalid_field", "/limit"),
    ] {
        house.admin.get(&format!("/v1/audit?{query}")).await.wrong_field(code, field);
    }
}

/// What a lineage's records are of, the oldest first.
async fn of_lineage(house: &House, key: &str) -> Vec<(String, String)> {
    let records = house.admin.audit(&format!("lineage={key}")).await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    records.iter().rev().map(|one| (text(&one["action"]), text(&one["target"]["id"]))).collect()
}

async fn what_a_key_did_and_what_was_done_to_it_is_one_question_whatever_it_became(house: House) {
    let manager = json!({"environment": "production", "permissions": ["keys.**"]});
    let first = house.admin.issue_in("keystead", manager).await;
    let second = house.admin.rotate(&first, json!({"grace_seconds": 60})).await;
    house.wait(1);
    let by_second = house.stranger.with_key(&second.key);
    let made = json!({"name": "Of the second", "environment": "production"});
    let made = by_second.post("/v1/projects/keystead/keys", made).await.created();
    house.admin.post(&format!("{}/revoke", second.path()), json!({"reason": "Over"})).await.ok();
    house.wait(1);
    house.admin.delete(&second.path()).await.gone();
    let own = of_lineage(&house, &first.id).await;
    let named = |action: &str, id: &str| (action.to_owned(), id.to_owned());
    assert!(own.contains(&named("key.create", &first.id)), "{own:?}");
    assert!(own.contains(&named("key.create", made["id"].as_str().unwrap())), "{own:?}");
    assert_eq!(own.last(), Some(&named("key.delete", &second.id)));
    assert_eq!(own.iter().filter(|(action, _)| action.starts_with("key.rotat")).count(), 1, "{own:?}");
    // Whichever key of it is named, also one that is no more.
    assert_eq!(of_lineage(&house, &second.id).await, own);
    assert_eq!(of_lineage(&house, made["id"].as_str().unwrap()).await.len(), 1);
    let foreign = house.other.get(&format!("/v1/audit?lineage={}", first.id)).await.ok();
    assert_eq!(foreign["items"], json!([]));
    house.admin.get("/v1/audit?lineage=first").await.refused(422, "invalid_field");
}

async fn pages_hold_every_record_once(house: House) {
    let all = house.admin.audit("").await;
    assert!(all.len() > 10);
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = house.admin.get(&format!("/v1/audit?limit=4{cursor}")).await.ok();
        found.extend(page["items"].as_array().unwrap().clone());
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(found, all);
}

async fn a_tenant_reads_its_own_acts_only(house: House) {
    let key = house.admin.issue(json!({})).await;
    let others = house.other.get("/v1/audit?limit=1000").await.ok().to_string();
    assert!(!others.contains(&key.id) && !others.contains(&house.acme.project));
    let query = format!("/v1/audit?target={}", key.id);
    assert_eq!(house.other.get(&query).await.ok()["items"], json!([]));
    house.asker.get("/v1/audit").await.refused(403, "forbidden");
    house.stranger.get("/v1/audit").await.refused(401, "unauthenticated");
}
