//! `POST /v1/keys/mint` where guardrails are set

use crate::house::{House, Issued, on_both_engines};
use serde_json::{Value, json};

on_both_engines! {
    guardrails_hold_for_what_is_minted,
    what_the_parent_satisfies_its_children_do,
}

const OWN: &str = "/v1/projects/registry/guardrails";

async fn set(house: &House, document: Value, version: &str) {
    house.admin.call(http::Method::PUT, OWN, Some(document), &[("if-match", version)]).await.ok();
}

/// Which guardrails refuse it.
async fn refused(house: &House, parent: &Issued, body: Value) -> Vec<String> {
    let holder = house.admin.with_key(&parent.key);
    let problem = holder.post("/v1/keys/mint", body).await.refused(422, "guardrail_violated");
    let violations = problem["violations"].as_array().unwrap().iter();
    violations.map(|one| one["guardrail"].as_str().unwrap().to_owned()).collect()
}

fn narrow(seconds: u64) -> Value {
    json!({"expires_in_seconds": seconds, "permissions": ["routes.read"]})
}

async fn guardrails_hold_for_what_is_minted(house: House) {
    let parent = house.admin.issue(json!({"permissions": ["routes.*"]})).await;
    let temporary = json!({"lifetime_max": "5m", "permissions_forbidden": ["routes.write"]});
    set(&house, json!({"by_kind": {"temporary": temporary}, "keys_per_owner_max": 1}), "\"0\"").await;
    assert_eq!(refused(&house, &parent, narrow(301)).await, ["lifetime_max"]);
    assert_eq!(refused(&house, &parent, json!({"expires_in_seconds": 60})).await, ["permissions_forbidden"]);
    // A lineage counts once.
    house.admin.mint(&parent, narrow(300)).await;
    set(&house, json!({"kinds_allowed": ["private"]}), "\"1\"").await;
    assert_eq!(refused(&house, &parent, narrow(60)).await, ["kinds_allowed"]);
}

async fn what_the_parent_satisfies_its_children_do(house: House) {
    let body = json!({"restrictions": {"networks": {"allow": ["127.0.0.0/8"]}},
        "limits": [{"name": "l", "limit": 100, "window": "1m"}]});
    let (parent, bare) = (house.admin.issue(body).await, house.admin.issue(json!({})).await);
    set(&house, json!({"every_kind": {"networks_required": true, "limits_required": true}}), "\"0\"").await;
    house.admin.mint(&parent, json!({})).await;
    assert_eq!(refused(&house, &bare, json!({})).await, ["networks_required", "limits_required"]);
    let own = json!({"restrictions": {"networks": {"allow": ["192.0.2.0/24"]}}});
    assert_eq!(refused(&house, &bare, own).await, ["limits_required"]);
}
