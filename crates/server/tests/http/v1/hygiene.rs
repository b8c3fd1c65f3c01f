//! `GET /v1/hygiene`

mod findings;
mod pages;
mod rights;
mod sharing;

use crate::house::{House, Issued};
use serde_json::{Value, json};

const DAY: i64 = 86_400;

/// A key with nothing to mend: its owner is known, it ends, and one network may use it.
async fn good_key(house: &House, body: Value) -> Issued {
    let described = json!({"description": "Imports routes; team Routing answers for it"});
    house.admin.patch("/v1/projects/registry/service-accounts/worker", described).await.ok();
    let good = json!({"name": "Good", "owner": "worker", "expires_at": "2030-01-01T00:00:00Z",
        "restrictions": {"networks": {"allow": ["192.0.2.0/24", "198.51.100.0/22"]}}});
    house.admin.issue(crate::house::merged(good, body)).await
}

async fn report(house: &House, query: &str) -> Value {
    house.admin.get(&format!("/v1/hygiene?limit=1000&{query}")).await.ok()
}

/// A key in a report; `null` when it is not there.
fn item(report: &Value, key: &Issued) -> Value {
    let items = report["items"].as_array().unwrap();
    items.iter().find(|item| item["id"] == key.id.as_str()).cloned().unwrap_or_default()
}

/// What is found of a key of the project `registry`.
async fn found(house: &House, key: &Issued) -> Vec<String> {
    let report = report(house, "project=registry").await;
    let findings = item(&report, key)["findings"].as_array().cloned().unwrap_or_default();
    findings.iter().map(|finding| finding["code"].as_str().unwrap().to_owned()).collect()
}

/// One finding of a key, whole.
async fn finding(house: &House, key: &Issued, code: &str) -> Value {
    let report = report(house, &format!("project=registry&finding={code}")).await;
    let findings = item(&report, key)["findings"].clone();
    assert_eq!((findings.as_array().unwrap().len(), &findings[0]["code"]), (1, &json!(code)));
    findings[0].clone()
}

async fn mark_sensitive(house: &House, permission: &str, sensitive: bool) {
    let path = format!("/v1/projects/registry/permissions/{permission}");
    house.admin.patch(&path, json!({"sensitive": sensitive})).await.ok();
}
