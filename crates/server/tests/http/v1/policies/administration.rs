//! Policies about who administers Keystead: no path leads around them, and they lock nobody out for good.

use super::{ALL, PATH, put, write};
use crate::house::{Client, House, merged, on_both_engines};
use serde_json::{Value, json};

on_both_engines! {
    what_is_deleted_at_night_is_not,
    only_a_team_changes_production,
    no_path_leads_around,
    who_verifies_is_asked_for_each,
    an_address_forbids_and_lets_pass,
    nobody_is_locked_out,
    the_operator_is_not_locked_out,
    an_operator_that_a_policy_forbids_to_be_one_is_none,
}

const KEYS: &str = "/v1/projects/registry/keys";

fn denied(answer: crate::house::Answer, policy: &str) {
    let problem = answer.refused(403, "policy_denied");
    let told = format!("the policy {policy} (pol_");
    assert!(problem["detail"].as_str().unwrap().contains(&told), "{problem}");
}

async fn what_is_deleted_at_night_is_not(house: House) {
    let text = r#"forbid (principal, action in [Action::"keys.delete", Action::"keys.revoke"], resource is Environment)
        when { resource.slug == "production" } unless { context.weekday <= 5 && context.hour >= 8 && context.hour < 18 };"#;
    write(&house.admin, "night", text).await.created();
    let key = house.admin.issue(json!({})).await;
    let tests = house.admin.issue(json!({"environment": "development"})).await;
    let revoke = async |key: &crate::house::Issued| {
        house.admin.post(&format!("{}/revoke", key.path()), json!({"reason": "Lost"})).await
    };
    house.at("2026-01-02T18:00:00Z");
    denied(revoke(&key).await, "night");
    revoke(&tests).await.ok();
    house.at("2026-01-03T12:00:00Z");
    denied(revoke(&key).await, "night");
    house.at("2026-01-05T08:00:00Z");
    revoke(&key).await.ok();
    house.at("2026-01-05T20:00:00Z");
    denied(house.admin.delete(&key.path()).await, "night");
    house.admin.delete(&tests.path()).await.gone();
}

const PRODUCTION: &str = r#"forbid (principal, action in Action::"write", resource is Environment)
    when { resource.slug == "production" } unless { principal.teams.contains("admin") };"#;

async fn only_a_team_changes_production(house: House) {
    let grants = json!([{"permission": "keys.*"}, {"permission": "routes.*", "project": "registry"}]);
    house.admin.team("admin", grants.clone()).await;
    house.admin.team("tech", grants).await;
    let ann = house.admin.person("Ann", json!([]), json!(["admin"])).await;
    let bob = house.admin.person("Bob", json!([]), json!(["tech"])).await;
    write(&house.admin, "production", PRODUCTION).await.created();
    let new = |environment: &str| json!({"name": "New", "environment": environment, "owner": "worker"});
    let made = ann.post(KEYS, new("production")).await.created();
    denied(bob.post(KEYS, new("production")).await, "production");
    bob.post(KEYS, new("development")).await.created();
    let at = format!("/v1/keys/{}", made["id"].as_str().unwrap());
    bob.get(&at).await.ok();
    denied(bob.patch(&at, json!({"name": "Other"})).await, "production");
    // A program is in no team.
    denied(house.admin.patch(&at, json!({"name": "Other"})).await, "production");
    // Signed in, a person is the same person.
    let cleo = house.person("cleo@example.com", &["keys.*"]).await;
    denied(house.sign_in(&cleo).await.patch(&at, json!({"name": "Other"})).await, "production");
    house.admin.put(&format!("/v1/teams/admin/members/{}", cleo.id), json!(null)).await.ok();
    house.sign_in(&cleo).await.patch(&at, json!({"name": "Other"})).await.ok();
}

async fn no_path_leads_around(house: House) {
    let (here, there) = (
        house.admin.issue(json!({"tags": ["x"]})).await,
        house.admin.issue(json!({"environment": "development", "tags": ["x"]})).await,
    );
    put(&house.admin, "production", PRODUCTION).await;
    let new = |environment: &str| json!({"name": "New", "environment": environment});
    let post = async |path: &str, body: Value| house.admin.post(&format!("{KEYS}{path}"), body).await;
    // Of several places, each is asked, in whatever order.
    for items in [[new("development"), new("production")], [new("production"), new("development")]] {
        denied(post("/batch", json!({"items": items})).await, "production");
        let imports: Vec<_> = items
            .iter()
            .enumerate()
            .map(|(n, key)| json!({"key": key, "plain": format!("a-token-0123456789-{n}")}))
            .collect();
        denied(post("/import", json!({"items": imports})).await, "production");
    }
    for (act, body) in [
        ("rotate", json!({})),
        ("suspend", json!({"until": "2026-02-01T00:00:00Z"})),
        ("revoke", json!({"reason": "Lost"})),
    ] {
        denied(house.admin.post(&format!("{}/{act}", here.path()), body).await, "production");
    }
    for act in ["disable", "enable"] {
        denied(house.admin.poke(&format!("{}/{act}", here.path())).await, "production");
    }
    denied(house.admin.delete(&here.path()).await, "production");
    for bulk in [
        json!({"action": "disable", "environment": "production"}),
        json!({"action": "update", "environment": "production", "changes": {"name": "Other"}}),
    ] {
        let environment = bulk["environment"].clone();
        let mut body =
            merged(bulk, json!({"filter": {"tag": "x", "environment": environment}, "expected_count": 1}));
        body.as_object_mut().unwrap().remove("environment");
        let answer = post("/bulk", body).await;
        assert!(answer.status == 403 || answer.body["done"] == 0, "{}", answer.text);
    }
    assert_eq!(
        (house.asker.bare(&here).await, house.admin.show(&there).await["status"].clone()),
        ("valid".into(), json!("active"))
    );
    house.admin.patch(&there.path(), json!({"name": "Other"})).await.ok();
    // What was asked for before is not redeemed past it.
    house.admin.delete(&format!("{PATH}/production")).await.gone();
    let (person, at, body) = crate::v1::approvals::ready_for(&house, "redeem").await;
    put(&house.admin, "production", PRODUCTION).await;
    denied(person.call(http::Method::POST, &at, body, &[]).await, "production");
}

/// A batch of questions is one call, and each question has a place of its own.
async fn who_verifies_is_asked_for_each(house: House) {
    let key = house.admin.issue(json!({})).await;
    let text = r#"forbid (principal, action == Action::"keys.verify", resource is Environment) when { resource.slug == "production" };"#;
    put(&house.admin, "ask", text).await;
    let item = |environment: &str| json!({"key": key.key, "project": "registry", "environment": environment});
    denied(house.admin.post("/v1/verify", item("production")).await, "ask");
    for items in [[item("development"), item("production")], [item("production"), item("development")]] {
        denied(house.admin.post("/v1/verify/batch", json!({"items": items})).await, "ask");
    }
    house.admin.post("/v1/verify", item("development")).await.ok();
    // What people may not do does not stop programs.
    put(
        &house.admin,
        "ask",
        r#"forbid (principal, action in Action::"administer", resource is Environment);"#,
    )
    .await;
    assert_eq!(house.asker.bare(&key).await, "valid");
}

async fn an_address_forbids_and_lets_pass(house: House) {
    let text = |network: &str| {
        format!(
            r#"forbid (principal, action in Action::"keys", resource) unless {{ context has ip && context.ip.isInRange(ip("{network}")) }};"#
        )
    };
    put(&house.admin, "office", &text("10.0.0.0/8")).await;
    denied(house.admin.get(KEYS).await, "office");
    house.admin.get("/v1/projects").await.ok();
    put(&house.admin, "office", &text("127.0.0.0/8")).await;
    house.admin.get(KEYS).await.ok();
}

async fn nobody_is_locked_out(house: House) {
    let everything = "forbid (principal, action, resource);";
    let problem = write(&house.admin, "all", everything).await.refused(409, "conflict");
    assert!(problem["detail"].as_str().unwrap().contains("keep you from changing policies"), "{problem}");
    let owner = house.person("olga@example.com", &["**"]).await;
    let administrator = house.person("adam@example.com", &["policies.*", "keys.*"]).await;
    let (owner, administrator) = (house.sign_in(&owner).await, house.sign_in(&administrator).await);
    write(&owner, "all", everything).await.created();
    let (list, at): (_, String) = (PATH, format!("{PATH}/all"));
    let shut = async |who: &Client| {
        denied(who.get(KEYS).await, "all");
        denied(who.get(list).await, "all");
        denied(who.patch(&at, json!({"enabled": false})).await, "all");
    };
    // Not for a key, however much it may; not for who may write policies and nothing more.
    shut(&house.admin).await;
    shut(&administrator).await;
    denied(owner.get(KEYS).await, "all");
    owner.get(list).await.ok();
    owner.get(&at).await.ok();
    write(&owner, "more", ALL).await.created();
    owner.patch(&at, json!({"description": "Oops"})).await.ok();
    owner.delete(&at).await.gone();
    owner.get(KEYS).await.ok();
    house.admin.get(list).await.ok();
}

async fn the_operator_is_not_locked_out(house: House) {
    let everything = "forbid (principal, action, resource);";
    write(&house.operator, "all", everything).await.created();
    denied(house.operator.get("/v1/projects").await, "all");
    house.operator.get(PATH).await.ok();
    house.operator.delete(&format!("{PATH}/all")).await.gone();
    house.operator.get("/v1/projects").await.ok();
}

async fn an_operator_that_a_policy_forbids_to_be_one_is_none(house: House) {
    let key = house.admin.issue(json!({})).await;
    let look = async || house.operator.get("/v1/organizations/acme").await;
    let verify = async || house.operator.post("/v1/verify", json!({"key": key.key})).await;
    look().await.ok();
    verify().await.ok();
    let text = r#"forbid (principal, action == Action::"installation.admin", resource);"#;
    write(&house.operator, "tenant", text).await.created();
    denied(house.operator.get("/v1/organizations").await, "tenant");
    look().await.refused(404, "not_found");
    verify().await.wrong_field("invalid_field", "/project");
    house.operator.delete(&format!("{PATH}/tenant")).await.gone();
    look().await.ok();
}
