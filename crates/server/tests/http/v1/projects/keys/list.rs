//! `GET /v1/projects/{project}/keys` and `…/keys/counts`

use crate::house::{House, Issued, on_both_engines};
use serde_json::{Value, json};

on_both_engines! {
    every_filter_narrows_the_list_and_the_counts,
    pages_hold_every_key_once_newest_first,
    statuses_are_counted,
    a_filter_that_names_nothing_is_refused,
}

async fn names(house: &House, query: &str) -> Vec<String> {
    let page = house.admin.get(&format!("/v1/projects/registry/keys?{query}")).await.ok();
    let counts = house.admin.get(&format!("/v1/projects/registry/keys/counts?{query}")).await.ok();
    let items = page["items"].as_array().unwrap();
    assert_eq!(counts["total"], items.len(), "{query}");
    let mut names: Vec<_> = items.iter().map(|key| key["name"].as_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

/// One key of each status, in the order in which they are made.
async fn one_of_each(house: &House) -> Vec<Issued> {
    let admin = &house.admin;
    let mut keys = Vec::new();
    for name in ["active", "disabled", "suspended", "not_yet_valid", "expired", "revoked"] {
        let body = match name {
            "not_yet_valid" => json!({"name": name, "not_before": "2026-02-01T00:00:00Z"}),
            "expired" => json!({"name": name, "expires_at": "2026-01-01T00:00:30Z"}),
            _ => json!({"name": name}),
        };
        keys.push(admin.issue(body).await);
    }
    admin.turn(&keys[1], "disable", None).await;
    admin.turn(&keys[2], "suspend", Some(json!({"until": "2026-01-02T00:00:00Z"}))).await;
    admin.revoke(&keys[5]).await;
    house.wait(60);
    keys
}

async fn every_filter_narrows_the_list_and_the_counts(mut house: House) {
    one_of_each(&house).await;
    let admin = &house.admin;
    let used = admin
        .issue(json!({"name": "Well used", "tags": ["web", "team:noc"], "owner": "worker",
        "expires_at": "2026-03-01T00:00:00Z"}))
        .await;
    admin.issue(json!({"name": "issued", "consumer": "customer-1", "environment": "development"})).await;
    assert_eq!(house.asker.bare(&used).await, "valid");
    house.restart().await;
    let (acme, start) = (house.acme.clone(), used.shown["start"].as_str().unwrap().to_owned());
    let id = used.id.strip_prefix("key_").unwrap();
    for (query, expected) in [
        ("status=active".to_owned(), vec!["Well used", "active", "issued"]),
        ("status=disabled".to_owned(), vec!["disabled"]),
        ("status=suspended".to_owned(), vec!["suspended"]),
        ("status=not_yet_valid".to_owned(), vec!["not_yet_valid"]),
        ("status=expired".to_owned(), vec!["expired"]),
        ("status=revoked".to_owned(), vec!["revoked"]),
        ("status=inactive".to_owned(), vec!["disabled", "expired", "not_yet_valid", "revoked", "suspended"]),
        (format!("owner={}", acme.account), vec!["Well used"]),
        ("owner=worker".to_owned(), vec!["Well used"]),
        (format!("owner={}", acme.consumer), vec!["issued"]),
        (format!("consumer={}", acme.consumer), vec!["issued"]),
        ("consumer=customer-1".to_owned(), vec!["issued"]),
        ("environment=development".to_owned(), vec!["issued"]),
        (format!("environment={}", acme.development), vec!["issued"]),
        ("tag=web".to_owned(), vec!["Well used"]),
        ("tag=we".to_owned(), vec![]),
        (format!("prefix={start}"), vec!["Well used"]),
        ("prefix=registry_dev_".to_owned(), vec!["issued"]),
        ("prefix=egistry".to_owned(), vec![]),
        ("text=wELL%20uSEd".to_owned(), vec!["Well used"]),
        (format!("text={id}"), vec!["Well used"]),
        ("text=%25".to_owned(), vec![]),
        ("never_used=false".to_owned(), vec!["Well used"]),
        ("last_used_after=2026-01-01T00:01:00Z".to_owned(), vec!["Well used"]),
        ("last_used_after=2026-01-01T00:01:00.000001Z".to_owned(), vec![]),
        ("last_used_before=2026-01-01T00:01:00.000001Z".to_owned(), vec!["Well used"]),
        ("last_used_before=2026-01-01T00:01:00Z".to_owned(), vec![]),
        ("expiring_before=2026-03-01T00:00:00.000001Z&status=active".to_owned(), vec!["Well used"]),
        ("expiring_before=2026-03-01T00:00:00Z&status=active".to_owned(), vec![]),
        ("status=active&tag=web&owner=worker&never_used=false".to_owned(), vec!["Well used"]),
        ("status=revoked&tag=web".to_owned(), vec![]),
    ] {
        assert_eq!(names(&house, &query).await, expected, "{query}");
    }
    assert_eq!(names(&house, "never_used=true").await.len(), 7);
}

async fn pages_hold_every_key_once_newest_first(house: House) {
    let mut made = Vec::new();
    for number in 0..7 {
        made.push(house.admin.issue(json!({"name": format!("Key {number}")})).await.id);
        // Some at the same instant: the id then decides.
        house.wait(number % 2);
    }
    let (mut found, mut times, mut cursor) = (Vec::new(), Vec::new(), String::new());
    loop {
        let page = house.admin.get(&format!("/v1/projects/registry/keys?limit=3{cursor}")).await.ok();
        for key in page["items"].as_array().unwrap() {
            found.push(key["id"].as_str().unwrap().to_owned());
            times.push(key["created_at"].as_str().unwrap().to_owned());
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
        // What is made meanwhile does not shift the pages that follow.
        house.admin.issue(json!({"name": "Late"})).await;
    }
    assert!(times.is_sorted_by(|a, b| a >= b), "{times:?}");
    made.sort();
    found.sort();
    assert_eq!(found, made);
    for wrong in ["limit=0", "limit=1001", "cursor=nonsense"] {
        let field = if wrong.starts_with("limit") { "/limit" } else { "/cursor" };
        let answer = house.admin.get(&format!("/v1/projects/registry/keys?{wrong}")).await;
        answer.wrong_field("invalid_field", field);
    }
}

async fn statuses_are_counted(house: House) {
    one_of_each(&house).await;
    let counts = house.admin.get("/v1/projects/registry/keys/counts").await.ok();
    let one: Value = json!({"total": 6, "active": 1, "disabled": 1, "suspended": 1, "not_yet_valid": 1,
        "expired": 1, "revoked": 1});
    assert_eq!(counts, one);
    let inactive = house.admin.get("/v1/projects/registry/keys/counts?status=inactive").await.ok();
    assert_eq!((&inactive["total"], &inactive["active"]), (&json!(5), &json!(0)));
}

async fn a_filter_that_names_nothing_is_refused(house: House) {
    for (query, code, field) in [
        ("environment=staging", "unknown_name", "/environment"),
        ("owner=nobody", "unknown_name", "/owner"),
        ("consumer=customer-2", "unknown_name", "/consumer"),
        ("status=asleep", "invalid_field", "/status"),
        ("last_used_before=yesterday", "invalid_field", "/last_used_before"),
        ("text=", "invalid_field", "/text"),
    ] {
        for list in ["keys", "keys/counts"] {
            let answer = house.admin.get(&format!("/v1/projects/registry/{list}?{query}")).await;
            answer.wrong_field(code, field);
        }
    }
}
