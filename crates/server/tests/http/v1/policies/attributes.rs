//! What policies can ask of a key and of a request, and that they forbid no more.

use super::{ALL, PATH, put, write};
use crate::house::{House, merged, on_both_engines};
use serde_json::{Value, json};

on_both_engines! {
    each_attribute_forbids_and_lets_pass,
    time_forbids_and_lets_pass,
    an_owner_and_a_team_forbid_and_let_pass,
    an_evaluation_that_errs_refuses,
    a_refused_request_takes_nothing,
    a_minted_key_is_asked_with_its_parent,
    the_order_of_checks_stays,
}

/// A policy about keys that are verified.
fn when(condition: &str) -> String {
    format!("forbid (principal is Key, action == Action::\"verify\", resource) when {{ {condition} }};")
}

async fn each_attribute_forbids_and_lets_pass(house: House) {
    let key = house.admin.issue(json!({"tags": ["ci", "edge"], "permissions": ["routes.read"],
        "expires_at": "2026-06-01T00:00:00Z", "consumer": "customer-1", "kind": "partner", "owner": "worker"})).await;
    let asked = json!({"ip": "192.0.2.7", "method": "GET", "path": "/routes/1", "origin": "https://a.example",
        "permissions": "routes.read", "resource": "routes/1"});
    for (yes, no) in [
        ("principal.kind == \"partner\"".to_owned(), "principal.kind == \"private\"".to_owned()),
        ("principal.tags.contains(\"ci\")".into(), "principal.tags.contains(\"cd\")".into()),
        (
            "principal.tags.containsAll([\"ci\", \"edge\"])".into(),
            "principal.tags.containsAny([\"a\", \"b\"])".into(),
        ),
        ("principal.environment == \"production\"".into(), "principal.environment == \"staging\"".into()),
        ("principal.project == \"registry\"".into(), "principal.project == \"keystead\"".into()),
        ("principal.owner == \"worker\"".into(), "principal.owner == \"Worker\"".into()),
        ("principal.owner_kind == \"service_account\"".into(), "principal.owner_kind == \"member\"".into()),
        (
            "principal has consumer && principal.consumer == \"First customer\"".into(),
            "principal has consumer && principal.consumer == \"x\"".into(),
        ),
        (
            "principal has expires_at && principal.expires_at - context.time < 31536000".into(),
            "principal has expires_at && principal.expires_at < context.time".into(),
        ),
        ("!principal.minted && principal.teams.isEmpty()".into(), "principal.minted".into()),
        (
            format!("principal in Environment::\"{}\"", house.acme.environment),
            format!("principal in Environment::\"{}\"", house.acme.development),
        ),
        (
            format!("resource == Environment::\"{}\"", house.acme.environment),
            format!("resource == Environment::\"{}\"", house.acme.development),
        ),
        (
            format!("resource in Project::\"{}\"", house.acme.project),
            format!("resource in Project::\"{}\"", house.others.project),
        ),
        (
            format!("principal in ServiceAccount::\"{}\"", house.acme.account),
            format!("principal in ServiceAccount::\"{}\"", house.others.account),
        ),
        (
            format!("principal in Consumer::\"{}\"", house.acme.consumer),
            format!("principal in Consumer::\"{}\"", house.others.consumer),
        ),
        (format!("principal == Key::\"{}\"", key.id), "principal == Key::\"key_000000000000\"".into()),
        (
            "resource.slug == \"production\" && resource.project == \"registry\"".into(),
            "resource.slug == \"development\"".into(),
        ),
        (
            "context has ip && context.ip.isInRange(ip(\"192.0.2.0/24\"))".into(),
            "context has ip && context.ip.isInRange(ip(\"10.0.0.0/8\"))".into(),
        ),
        (
            "context has method && context.method == \"GET\"".into(),
            "context has method && context.method == \"POST\"".into(),
        ),
        (
            "context has path && context.path like \"/routes/*\"".into(),
            "context has path && context.path like \"/zones/*\"".into(),
        ),
        (
            "context has origin && context.origin == \"https://a.example\"".into(),
            "!(context has origin)".into(),
        ),
        (
            "context.permissions.contains(\"routes.read\")".into(),
            "context.permissions.contains(\"routes.write\")".into(),
        ),
        (
            "context has resource && context.resource == \"routes/1\"".into(),
            "context has resource && context.resource == \"routes/2\"".into(),
        ),
        ("context.hour == 0 && context.weekday == 4".into(), "context.weekday == 5".into()),
    ] {
        // Asked twice: what is remembered says the same.
        put(&house.admin, "try", &when(&yes)).await;
        assert_eq!(house.asker.code(&key, asked.clone()).await, "condition_denied", "{yes}");
        assert_eq!(house.asker.code(&key, asked.clone()).await, "condition_denied", "{yes}");
        put(&house.admin, "try", &when(&no)).await;
        assert_eq!(house.asker.code(&key, asked.clone()).await, "valid", "{no}");
        assert_eq!(house.asker.code(&key, asked.clone()).await, "valid", "{no}");
    }
    put(&house.admin, "try", ALL).await;
    let told = house.asker.ask(&key.key, merged(asked, json!({"explain": true}))).await;
    let checks = told["explanation"].as_array().unwrap();
    let check = checks.iter().find(|check| check["check"] == "policies").unwrap();
    assert_eq!(check["code"], "condition_denied");
    assert!(check["why"].as_str().unwrap().contains("the policy try (pol_"), "{check}");
}

async fn time_forbids_and_lets_pass(house: House) {
    let key = house
        .admin
        .issue(json!({"kind": "partner", "consumer": "customer-1", "expires_at": "2026-06-01T00:00:00Z"}))
        .await;
    put(&house.admin, "weekend", &when("principal.kind == \"partner\" && context.weekday >= 6")).await;
    put(&house.admin, "late", &when("context.hour >= 22")).await;
    for (at, code) in [
        ("2026-01-02T12:00:00Z", "valid"),
        ("2026-01-02T22:00:00Z", "condition_denied"),
        ("2026-01-02T23:59:59Z", "condition_denied"),
        ("2026-01-03T00:00:00Z", "condition_denied"),
        ("2026-01-04T21:59:59Z", "condition_denied"),
        ("2026-01-05T00:00:00Z", "valid"),
    ] {
        house.at(at);
        assert_eq!(house.asker.bare(&key).await, code, "{at}");
    }
}

async fn an_owner_and_a_team_forbid_and_let_pass(house: House) {
    let admin = &house.admin;
    let grants = json!([{"permission": "keys.own"}, {"permission": "routes.*", "project": "registry"}]);
    let team = admin.team("routing", grants.clone()).await;
    let ann = admin.person("Ann", grants.clone(), json!(["routing"])).await;
    let bob = admin.person("Bob", grants, json!([])).await;
    let (own, teams, bobs) =
        (ann.make(json!({})).await, ann.make(json!({"team": "routing"})).await, bob.make(json!({})).await);
    for (condition, codes) in [
        ("principal.teams.contains(\"routing\")".to_owned(), [true, true, false]),
        (format!("principal in Team::\"{team}\""), [true, true, false]),
        (format!("principal in Member::\"{}\"", ann.id), [true, true, false]),
        ("principal.owner == \"Bob\"".into(), [false, false, true]),
        ("principal.owner_kind == \"team_member\"".into(), [false, true, false]),
    ] {
        put(admin, "try", &when(&condition)).await;
        for (key, forbidden) in [&own, &teams, &bobs].into_iter().zip(codes) {
            let code = if forbidden { "condition_denied" } else { "valid" };
            assert_eq!(house.asker.bare(key).await, code, "{condition}");
        }
    }
    // As the head of a policy it says the same.
    let head = format!("forbid (principal in Team::\"{team}\", action == Action::\"verify\", resource);");
    put(admin, "try", &head).await;
    for (key, code) in [(&own, "condition_denied"), (&teams, "condition_denied"), (&bobs, "valid")] {
        assert_eq!(house.asker.bare(key).await, code);
    }
}

/// Cedar leaves out a policy whose evaluation errs: of a `forbid` that would let everything pass.
async fn an_evaluation_that_errs_refuses(house: House) {
    let key = house.admin.issue(json!({})).await;
    write(&house.admin, "overflow", &when("context.time * 9223372036854775807 > 0")).await.created();
    assert_eq!(house.asker.bare(&key).await, "condition_denied");
    let told = house.asker.ask(&key.key, json!({"explain": true})).await;
    assert!(told.to_string().contains("overflow (pol_"), "{told}");
    assert!(told.to_string().contains("cannot be evaluated"), "{told}");
}

async fn a_refused_request_takes_nothing(house: House) {
    let limits = json!({"limits": [{"name": "a", "limit": 2, "window": "1h"}]});
    let key = house.admin.issue(limits).await;
    write(&house.admin, "all", ALL).await.created();
    for _ in 0..5 {
        assert_eq!(house.asker.bare(&key).await, "condition_denied");
    }
    house.admin.delete(&format!("{PATH}/all")).await.gone();
    let codes = [house.asker.bare(&key).await, house.asker.bare(&key).await, house.asker.bare(&key).await];
    assert_eq!(codes, ["valid", "valid", "rate_limited"]);
}

async fn a_minted_key_is_asked_with_its_parent(house: House) {
    let parent = house.admin.issue(json!({"tags": ["ci"]})).await;
    let minted = house.admin.mint(&parent, json!({"expires_in_seconds": 600})).await;
    assert_eq!(house.asker.bare(&minted).await, "valid");
    put(&house.admin, "ci", &when("principal.tags.contains(\"ci\")")).await;
    assert_eq!(house.asker.bare(&minted).await, "condition_denied", "its parent may not");
    put(&house.admin, "ci", &when("principal.minted")).await;
    assert_eq!(
        (house.asker.bare(&minted).await, house.asker.bare(&parent).await),
        ("condition_denied".into(), "valid".into())
    );
    put(&house.admin, "ci", "forbid (principal is Key, action == Action::\"mint\", resource);").await;
    assert_eq!(house.asker.bare(&minted).await, "valid");
    let again = house.admin.with_key(&parent.key).post("/v1/keys/mint", json!({})).await;
    let problem = again.refused(403, "policy_denied");
    assert!(problem["detail"].as_str().unwrap().contains("the policy ci"), "{problem}");
}

/// Whoever proves nothing learns nothing of policies, and what stops a key for good is told first.
async fn the_order_of_checks_stays(house: House) {
    write(&house.admin, "all", ALL).await.created();
    let key = house.admin.issue(json!({"restrictions": {"networks": {"allow": ["10.0.0.0/8"]}}})).await;
    let ask =
        async |key: &str, more: Value| house.asker.ask(key, more).await["code"].as_str().unwrap().to_owned();
    assert_eq!(ask(&house.others_secret(&key), json!({})).await, "wrong_secret");
    assert_eq!(ask(&house.unknown_key(), json!({})).await, "not_found");
    assert_eq!(house.asker.bare(&key).await, "network_denied");
    assert_eq!(house.asker.code(&key, json!({"ip": "10.0.0.1"})).await, "condition_denied");
    let lacking = json!({"ip": "10.0.0.1", "permissions": "routes.read"});
    assert_eq!(house.asker.code(&key, lacking).await, "insufficient_permissions");
    house.admin.revoke(&key).await;
    assert_eq!(house.asker.code(&key, json!({"ip": "10.0.0.1"})).await, "revoked");
}
