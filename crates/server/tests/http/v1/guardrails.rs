//! `/v1/guardrails`: the organization's

use crate::house::{House, on_both_engines};
use serde_json::{Value, json};

on_both_engines! {
    guardrails_are_set_changed_and_audited,
    wrong_fields_are_refused,
    only_who_may_set_them_sets_them_and_only_there,
    of_two_who_set_them_first_one_wins,
    a_prefix_that_is_not_allowed_begins_no_projects_keys,
    the_organizations_hold_in_every_project_and_none_loosens_them,
    management_keys_follow_the_system_projects_own,
    another_tenant_sets_its_own,
    a_preview_counts_and_changes_nothing,
}

const ALL: &str = "/v1/guardrails";
const OWN: &str = "/v1/projects/registry/guardrails";
const KEYS: &str = "/v1/projects/registry/keys";

fn a_key(more: Value) -> Value {
    crate::house::merged(json!({"name": "A key", "environment": "production"}), more)
}

async fn guardrails_are_set_changed_and_audited(house: House) {
    let admin = &house.admin;
    let none = admin.get(ALL).await.ok();
    let built_in =
        json!([{"guardrail": "lifetime_max", "kind": "temporary", "value": "24h", "from": "built_in"}]);
    assert_eq!(none, json!({"rules": {}, "effective": built_in, "updated_at": null, "version": 0}));
    house.wait(1);
    let rules = json!({"kinds_allowed": ["private"], "every_kind": {"lifetime_max": "90d"}});
    let at = async |version: &str, rules: &Value| {
        admin.call(http::Method::PUT, ALL, Some(rules.clone()), &[("if-match", version)]).await
    };
    at("\"1\"", &rules).await.refused(412, "precondition_failed");
    let set = at("\"0\"", &rules).await.ok();
    assert_eq!((&set["rules"], &set["version"]), (&rules, &json!(1)));
    assert_eq!(set["updated_at"], "2026-01-01T00:00:01Z");
    assert_eq!(admin.get(ALL).await.ok(), set);
    let lifetime =
        json!({"guardrail": "lifetime_max", "kind": "private", "value": "90d", "from": "organization"});
    assert!(set["effective"].as_array().unwrap().contains(&lifetime), "{set}");
    // Again the same: nothing happens.
    assert_eq!(at("\"1\"", &rules).await.ok(), set);
    at("\"0\"", &json!({})).await.refused(412, "precondition_failed");
    house.wait(1);
    let cleared = admin.put(ALL, json!({})).await.ok();
    assert_eq!((&cleared["rules"], &cleared["version"]), (&json!({}), &json!(2)));
    let acts = admin.audit("action=guardrails.update").await;
    assert_eq!(acts.len(), 2);
    assert_eq!((&acts[0]["before"], &acts[0]["after"]), (&rules, &json!({})));
    assert_eq!((&acts[1]["before"], &acts[1]["after"]), (&Value::Null, &rules));
    assert_eq!(acts[0]["target"]["kind"], "guardrails");
}

async fn wrong_fields_are_refused(house: House) {
    for (body, field) in [
        (json!({"kinds_allowed": ["secret"]}), "/kinds_allowed/0"),
        (json!({"kinds_allowed": ["private", "private"]}), "/kinds_allowed/1"),
        (json!({"prefixes_allowed": ["Acme"]}), "/prefixes_allowed/0"),
        (json!({"prefixes_allowed": vec!["acme"; 65]}), "/prefixes_allowed"),
        (json!({"keys_per_owner_max": 0}), "/keys_per_owner_max"),
        (json!({"keys_per_owner_max": 1_000_001}), "/keys_per_owner_max"),
        (json!({"every_kind": {"lifetime_max": "1y"}}), "/every_kind/lifetime_max"),
        (json!({"by_kind": {"private": {"rotation_age_max": "0d"}}}), "/by_kind/private/rotation_age_max"),
        (json!({"every_kind": {"permissions_forbidden": ["a..b"]}}), "/every_kind/permissions_forbidden/0"),
        (
            json!({"every_kind": {"permissions_forbidden": vec!["a"; 257]}}),
            "/every_kind/permissions_forbidden",
        ),
        (json!({"limits_default": [{"name": "a", "limit": 1, "window": "1w"}]}), "/limits_default/0/window"),
        (json!({"colour": "red"}), ""),
    ] {
        for path in [ALL, OWN, "/v1/guardrails/preview"] {
            let answer = if path.ends_with("preview") {
                house.admin.post(path, body.clone()).await
            } else {
                house.admin.put(path, body.clone()).await
            };
            answer.wrong_field("invalid_field", field);
        }
    }
    assert_eq!(house.admin.get(ALL).await.ok()["version"], 0);
}

async fn only_who_may_set_them_sets_them_and_only_there(house: House) {
    let with = async |permissions: Value| {
        let key = house.admin.issue_in("keystead", json!({"permissions": permissions})).await;
        house.admin.with_key(&key.key)
    };
    let narrowed = |name: &str| json!({"permission": name, "resources": ["projects/registry"]});
    let issuer = with(json!(["keys.*", "projects.*", "catalogue.*", "guardrails.read"])).await;
    let own = with(json!([narrowed("guardrails.*"), narrowed("keys.read")])).await;
    for path in [ALL, OWN] {
        issuer.get(path).await.ok();
        issuer.put(path, json!({})).await.refused(403, "forbidden");
        issuer.post(&format!("{path}/preview"), json!({})).await.refused(403, "forbidden");
    }
    own.put(OWN, json!({"keys_per_owner_max": 5})).await.ok();
    own.post(&format!("{OWN}/preview"), json!({})).await.ok();
    own.get(&format!("{OWN}/report")).await.ok();
    for path in [ALL, "/v1/projects/keystead/guardrails"] {
        own.get(path).await.refused(403, "forbidden");
        own.put(path, json!({})).await.refused(403, "forbidden");
    }
    house.asker.get(OWN).await.refused(403, "forbidden");
    house.stranger.get(ALL).await.refused(401, "unauthenticated");
}

async fn of_two_who_set_them_first_one_wins(house: House) {
    let set = async |max: u32| house.admin.put(ALL, json!({"keys_per_owner_max": max})).await;
    let answers = tokio::join!(set(1), set(2), set(3), set(4));
    let answers = [answers.0, answers.1, answers.2, answers.3];
    let done = answers.iter().filter(|answer| answer.status == 200).count();
    for answer in answers.into_iter().filter(|answer| answer.status != 200) {
        answer.refused(412, "precondition_failed");
    }
    assert_eq!(house.admin.get(ALL).await.ok()["version"], done);
    assert_eq!(house.admin.audit("action=guardrails.update").await.len(), done);
}

async fn a_prefix_that_is_not_allowed_begins_no_projects_keys(house: House) {
    let (admin, from) = (&house.admin, "organization");
    admin.put(ALL, json!({"prefixes_allowed": ["acme", "acme_*"]})).await.ok();
    let new = |slug: &str, prefix: &str| json!({"name": "New", "slug": slug, "prefix": prefix});
    admin.post("/v1/projects", new("mail", "mail")).await.guarded(&[("prefixes_allowed", from, "/prefix")]);
    admin.get("/v1/projects/mail").await.refused(404, "not_found");
    admin.post("/v1/projects", new("mail", "acme_mail")).await.created();
    let change = async |prefix: &str| {
        let body = json!({"name": "Renamed", "prefix": prefix});
        admin.patch("/v1/projects/registry", body).await
    };
    change("acmeeu").await.guarded(&[("prefixes_allowed", from, "/prefix")]);
    // Its name may change: its prefix is no worse than it was.
    admin.patch("/v1/projects/registry", json!({"name": "Registry of old"})).await.ok();
    // But no key begins so any more until it has changed.
    admin.post(KEYS, a_key(json!({}))).await.guarded(&[("prefixes_allowed", from, "")]);
    change("acme_eu").await.ok();
    admin.issue(json!({})).await;
}

async fn the_organizations_hold_in_every_project_and_none_loosens_them(house: House) {
    let admin = &house.admin;
    admin.put(ALL, json!({"every_kind": {"expiry_required": true, "lifetime_max": "30d"}})).await.ok();
    let looser = json!({"every_kind": {"expiry_required": false, "lifetime_max": "365d"}});
    let view = admin.put(OWN, looser).await.ok();
    let told: Vec<_> = view["effective"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["kind"] == "private")
        .map(|one| (one["guardrail"].as_str().unwrap(), one["value"].clone(), one["from"].as_str().unwrap()))
        .collect();
    let organizations =
        [("lifetime_max", json!("30d"), "organization"), ("expiry_required", json!(true), "organization")];
    assert_eq!(told, organizations);
    admin.post(KEYS, a_key(json!({}))).await.guarded(&[
        ("expiry_required", "organization", "/expires_at"),
        ("lifetime_max", "organization", "/expires_at"),
        ("lifetime_max", "project", "/expires_at"),
    ]);
    admin.post(KEYS, a_key(json!({"expires_at": "2026-03-01T00:00:00Z"}))).await.guarded(&[(
        "lifetime_max",
        "organization",
        "/expires_at",
    )]);
    admin.issue(json!({"expires_at": "2026-01-31T00:00:00Z"})).await;
    // A stricter one of the project's holds besides.
    admin.put(OWN, json!({"every_kind": {"lifetime_max": "7d"}})).await.ok();
    admin.post(KEYS, a_key(json!({"expires_at": "2026-01-31T00:00:00Z"}))).await.guarded(&[(
        "lifetime_max",
        "project",
        "/expires_at",
    )]);
}

async fn management_keys_follow_the_system_projects_own(house: House) {
    let admin = &house.admin;
    let limits = json!([{"name": "default", "limit": 1, "window": "1m"}]);
    admin.put(ALL, json!({"kinds_allowed": [], "limits_default": limits})).await.ok();
    let key = admin.issue_in("keystead", json!({"permissions": ["projects.read"]})).await;
    assert_eq!(key.shown["limits"], json!([]), "who guards an API is not slowed by what customers get");
    let path = "/v1/projects/keystead/guardrails";
    let rules = json!({"every_kind": {"networks_required": true, "permissions_forbidden": ["keys.delete"]}});
    admin.put(path, rules).await.ok();
    let body = a_key(json!({"permissions": ["keys.*"]}));
    admin.post("/v1/projects/keystead/keys", body).await.guarded(&[
        ("networks_required", "project", "/restrictions/networks/allow"),
        ("permissions_forbidden", "project", "/permissions/0"),
    ]);
}

async fn another_tenant_sets_its_own(house: House) {
    house.admin.put(ALL, json!({"kinds_allowed": []})).await.ok();
    assert_eq!(house.other.get(ALL).await.ok()["version"], 0);
    let effective = house.other.get(OWN).await.ok()["effective"].clone();
    assert!(effective.as_array().unwrap().iter().all(|one| one["from"] == "built_in"), "{effective}");
    house.other.post(KEYS, a_key(json!({}))).await.created();
    house.other.put(ALL, json!({"keys_per_owner_max": 9})).await.ok();
    let own = house.admin.get(ALL).await.ok();
    assert_eq!((&own["rules"], &own["version"]), (&json!({"kinds_allowed": []}), &json!(1)));
}

async fn a_preview_counts_and_changes_nothing(house: House) {
    let admin = &house.admin;
    admin.issue(json!({"limits": [{"name": "a", "limit": 1, "window": "1m"}]})).await;
    let doomed = admin.issue(json!({"expires_at": "2026-01-02T00:00:00Z"})).await;
    let revoked = admin.issue(json!({})).await;
    admin.revoke(&revoked).await;
    admin.put(OWN, json!({"every_kind": {"limits_required": true}})).await.ok();
    let before = admin.get(ALL).await.ok();
    let rules = json!({"every_kind": {"expiry_required": true}});
    let preview =
        async |path: &str, rules: &Value| admin.post(&format!("{path}/preview"), rules.clone()).await.ok();
    let counted = preview(ALL, &rules).await;
    let expected = json!({
        "keys_checked": 2, "keys_violating": 2, "keys_violating_now": 1, "complete": true,
        "by_guardrail": {"expiry_required": 1, "limits_required": 1},
    });
    assert_eq!(counted, expected);
    // A project's replaces what it has now.
    let counted = preview(OWN, &rules).await;
    assert_eq!((&counted["keys_violating"], &counted["keys_violating_now"]), (&json!(1), &json!(1)));
    assert_eq!(admin.get(ALL).await.ok(), before);
    house.at("2026-01-02T00:00:00Z");
    assert_eq!(preview(OWN, &rules).await["keys_checked"], 1, "{} has expired", doomed.id);
    // Another tenant's keys are not counted.
    assert_eq!(house.other.post("/v1/guardrails/preview", rules).await.ok()["keys_checked"], 0);
}
