//! Pages and orders.

use super::{good_key, report};
use crate::house::{House, on_both_engines};
use serde_json::{Value, json};
use std::collections::BTreeSet;

on_both_engines! {
    pages_hold_every_key_once_in_either_order,
    one_finding_alone_keeps_the_scores,
    an_empty_project_ends,
}

async fn pages(house: &House, query: &str) -> Vec<Value> {
    let (mut pages, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = house.admin.get(&format!("/v1/hygiene?{query}{cursor}")).await.ok();
        let next = page["next_cursor"].as_str().map(|next| format!("&cursor={next}"));
        pages.push(page);
        match next {
            Some(next) => cursor = next,
            None => return pages,
        }
        assert!(pages.len() < 99, "the pages have no end");
    }
}

fn items(pages: &[Value]) -> Vec<Value> {
    pages.iter().flat_map(|page| page["items"].as_array().unwrap().clone()).collect()
}

async fn pages_hold_every_key_once_in_either_order(house: House) {
    for number in 0..7 {
        let expires_at = (number % 2 == 0).then_some("2030-01-01T00:00:00Z");
        let environment = if number % 3 == 0 { "development" } else { "production" };
        house.admin.issue(json!({"expires_at": expires_at, "environment": environment})).await;
        good_key(&house, json!({})).await;
    }
    let whole = report(&house, "").await;
    let expected = whole["items"].as_array().unwrap();
    // Seven, the administrator's and the asker's.
    assert_eq!((expected.len(), &whole["checked"]["keys"]), (9, &json!(16)));
    let score = |item: &Value| item["score"].as_u64().unwrap();
    assert!(expected.is_sorted_by_key(score));
    for limit in [1, 2, 4, 1000] {
        let by_score = pages(&house, &format!("limit={limit}")).await;
        assert_eq!(items(&by_score), *expected, "{limit}");
        assert!(
            by_score.iter().all(|page| page["checked"] == whole["checked"]),
            "all are looked at for each page"
        );
        let by_age = pages(&house, &format!("sort=newest&limit={limit}")).await;
        let ids = |items: &[Value]| {
            items.iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect::<BTreeSet<_>>()
        };
        assert_eq!((items(&by_age).len(), ids(&items(&by_age))), (9, ids(expected)), "{limit}");
        for number in ["keys", "keys_with_findings", "points"] {
            let sum: u64 = by_age.iter().map(|page| page["checked"][number].as_u64().unwrap()).sum();
            assert_eq!(sum, whole["checked"][number].as_u64().unwrap(), "{number}");
        }
    }
    let registry = items(&pages(&house, "sort=newest&project=registry&limit=2").await);
    assert!(registry.is_sorted_by(|one, next| one["created_at"].as_str() >= next["created_at"].as_str()));
}

async fn one_finding_alone_keeps_the_scores(house: House) {
    house.admin.issue(json!({})).await;
    house.admin.issue(json!({"expires_at": "2030-01-01T00:00:00Z"})).await;
    let all = report(&house, "project=registry").await;
    let one = report(&house, "project=registry&finding=no_expiry").await;
    assert_eq!((&one["score"], &one["checked"]), (&all["score"], &all["checked"]));
    let items = one["items"].as_array().unwrap();
    assert_eq!((items.len(), &items[0]["score"]), (1, &json!(80)));
    assert_eq!(
        (items[0]["findings"].as_array().unwrap().len(), &items[0]["findings"][0]["code"]),
        (1, &json!("no_expiry"))
    );
    assert_eq!(report(&house, "project=registry&finding=dormant").await["items"], json!([]));
}

async fn an_empty_project_ends(house: House) {
    house.admin.post("/v1/projects", json!({"name": "Empty", "slug": "empty"})).await.created();
    for sort in ["score", "newest"] {
        let found = pages(&house, &format!("project=empty&sort={sort}")).await;
        assert_eq!((found.len(), &found[0]["score"], &found[0]["items"]), (1, &json!(100), &json!([])));
    }
}
