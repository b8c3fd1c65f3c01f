//! Who sees what of it.

use super::report;
use crate::house::{Client, House, on_both_engines};
use serde_json::{Value, json};

on_both_engines! {
    everybody_sees_the_keys_that_they_may_see,
    another_tenant_sees_nothing,
    nonsense_is_refused_by_field,
    asking_writes_nothing,
}

fn ids(report: &Value) -> Vec<&str> {
    report["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap()).collect()
}

async fn everybody_sees_the_keys_that_they_may_see(house: House) {
    let production = house.admin.issue(json!({})).await;
    house.wait(1);
    let development = house.admin.issue(json!({"environment": "development"})).await;
    let all = report(&house, "").await;
    assert!(ids(&all).contains(&production.id.as_str()) && ids(&all).contains(&development.id.as_str()));
    // And those of the API itself, the administrator's own among them.
    assert_eq!(all["checked"]["keys"], 4);
    let of = async |query: &str| {
        ids(&report(&house, query).await).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(of("project=registry").await, [development.id.clone(), production.id.clone()]);
    assert_eq!(of("project=registry&environment=production").await, [production.id.as_str()]);
    let by_id = format!("project={}&environment={}", house.acme.project, house.acme.development);
    assert_eq!(of(&by_id).await, [development.id.as_str()]);

    // The asker may read one environment's keys.
    for query in ["", "?project=registry", "?project=registry&environment=production"] {
        let seen = house.asker.get(&format!("/v1/hygiene{query}")).await.ok();
        assert_eq!(ids(&seen), [production.id.as_str()], "{query}");
    }
    for query in ["?project=keystead", "?project=registry&environment=development"] {
        house.asker.get(&format!("/v1/hygiene{query}")).await.refused(403, "forbidden");
    }
    let reader = json!([{"permission": "keys.read", "resources": ["projects/registry"]}]);
    let reader = house.admin.issue_in("keystead", json!({"permissions": reader})).await;
    let seen = house.admin.with_key(&reader.key).get("/v1/hygiene").await.ok();
    assert_eq!(ids(&seen), [development.id.as_str(), production.id.as_str()]);
    let auditor = house.admin.issue_in("keystead", json!({"permissions": ["audit.read"]})).await;
    house.admin.with_key(&auditor.key).get("/v1/hygiene").await.refused(403, "forbidden");
    house.stranger.get("/v1/hygiene").await.refused(401, "unauthenticated");
}

async fn another_tenant_sees_nothing(house: House) {
    let key = house.admin.issue(json!({"name": "Ours alone"})).await;
    let mut theirs = house.other.get("/v1/hygiene?limit=1000").await.ok();
    assert!(!theirs.to_string().contains(&key.id) && !theirs.to_string().contains("Ours alone"));
    assert_eq!(theirs.as_object_mut().unwrap()["checked"]["keys"], 1);
    let ask = async |client: &Client, query: &str| {
        let mut answer = client.get(&format!("/v1/hygiene?{query}")).await;
        answer.body.as_object_mut().unwrap().remove("request_id");
        (answer.status, answer.body)
    };
    let nobodys = |id: &str| format!("{}{}", &id[..id.len() - 1], if id.ends_with('7') { "8" } else { "7" });
    for (another, nobody) in [
        (format!("project={}", house.acme.project), format!("project={}", nobodys(&house.acme.project))),
        (
            format!("project=registry&environment={}", house.acme.environment),
            format!("project=registry&environment={}", nobodys(&house.acme.environment)),
        ),
    ] {
        let told = ask(&house.other, &another).await;
        assert_eq!(told.0, 422);
        assert_eq!(told, ask(&house.other, &nobody).await);
    }
    // A cursor of ours leads others to their own keys only.
    house.admin.issue(json!({})).await;
    let page = house.admin.get("/v1/hygiene?project=registry&sort=newest&limit=1").await.ok();
    let cursor = page["next_cursor"].as_str().unwrap();
    let theirs = house.other.get(&format!("/v1/hygiene?sort=newest&cursor={cursor}")).await.ok();
    assert!(!theirs.to_string().contains(&key.id), "{theirs}");
}

async fn nonsense_is_refused_by_field(house: House) {
    house.admin.issue(json!({})).await;
    house.admin.issue(json!({})).await;
    for (query, code, field) in [
        ("project=mail", "unknown_name", "/project"),
        ("project=registry&environment=mail", "unknown_name", "/environment"),
        ("environment=production", "invalid_field", "/environment"),
        ("finding=everything", "invalid_field", "/finding"),
        ("sort=name", "invalid_field", "/sort"),
        ("limit=0", "invalid_field", "/limit"),
        ("limit=1001", "invalid_field", "/limit"),
        ("cursor=x", "invalid_field", "/cursor"),
    ] {
        house.admin.get(&format!("/v1/hygiene?{query}")).await.wrong_field(code, field);
    }
    // A cursor of the one order is none of the other.
    for (sort, other) in [("score", "newest"), ("newest", "score")] {
        let page = house.admin.get(&format!("/v1/hygiene?sort={sort}&limit=1")).await.ok();
        let cursor = page["next_cursor"].as_str().unwrap();
        let query = format!("/v1/hygiene?sort={other}&cursor={cursor}");
        house.admin.get(&query).await.wrong_field("invalid_field", "/cursor");
    }
}

async fn asking_writes_nothing(house: House) {
    house.admin.issue(json!({})).await;
    house.settle().await;
    let (acts, audit, bytes) =
        (house.keystead.counters().acts(), house.admin.audit("").await, house.database_bytes());
    report(&house, "").await;
    report(&house, "sort=newest").await;
    assert_eq!(house.keystead.counters().acts(), acts);
    assert!(house.database_bytes() == bytes, "asking wrote to the database");
    assert_eq!(house.admin.audit("").await, audit);
}
