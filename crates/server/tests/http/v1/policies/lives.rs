//! What a policy says holds from the next request on, whatever changes: the policy, the key, its owner.

use super::{ALL, PATH, put, write};
use crate::house::{House, on_both_engines};
use serde_json::json;

on_both_engines! {
    what_is_remembered_dies_with_the_policy,
    what_is_remembered_dies_with_the_keys_tags,
    what_is_remembered_dies_with_the_owners_team,
    policies_and_tags_survive_a_restart,
    a_new_project_is_under_the_organizations_policies,
    a_projects_policies_are_about_its_own_keys,
}

fn tagged(tag: &str) -> String {
    format!(
        "forbid (principal is Key, action == Action::\"verify\", resource) when {{ principal.tags.contains(\"{tag}\") }};"
    )
}

async fn what_is_remembered_dies_with_the_policy(house: House) {
    let key = house.admin.issue(json!({"tags": ["ci"]})).await;
    let at = format!("{PATH}/tags");
    write(&house.admin, "tags", &tagged("ci")).await.created();
    assert_eq!(house.asker.bare(&key).await, "condition_denied");
    house.admin.patch(&at, json!({"text": tagged("cd")})).await.ok();
    assert_eq!(house.asker.bare(&key).await, "valid");
    house.admin.patch(&at, json!({"text": tagged("ci")})).await.ok();
    assert_eq!(house.asker.bare(&key).await, "condition_denied");
    house.admin.patch(&at, json!({"enabled": false})).await.ok();
    assert_eq!(house.asker.bare(&key).await, "valid");
    house.admin.patch(&at, json!({"enabled": true})).await.ok();
    assert_eq!(house.asker.bare(&key).await, "condition_denied");
    house.admin.delete(&at).await.gone();
    assert_eq!(house.asker.bare(&key).await, "valid");
}

async fn what_is_remembered_dies_with_the_keys_tags(house: House) {
    let key = house.admin.issue(json!({"tags": ["a"]})).await;
    write(&house.admin, "tags", &tagged("ci")).await.created();
    for (tags, code) in
        [(json!(["ci"]), "condition_denied"), (json!([]), "valid"), (json!(["x", "ci"]), "condition_denied")]
    {
        house.admin.change(&key, json!({"tags": tags})).await;
        assert_eq!(house.asker.bare(&key).await, code, "{tags}");
        assert_eq!(house.asker.bare(&key).await, code, "{tags}");
    }
    // A new key in its place has its tags, too.
    let new = house.admin.rotate(&key, json!({})).await;
    assert_eq!(house.asker.bare(&new).await, "condition_denied");
}

async fn what_is_remembered_dies_with_the_owners_team(house: House) {
    let admin = &house.admin;
    let grants = json!([{"permission": "keys.own"}]);
    admin.team("routing", grants.clone()).await;
    let ann = admin.person("Ann", grants, json!(["routing"])).await;
    let key = ann.make(json!({})).await;
    let text = r#"forbid (principal is Key, action == Action::"verify", resource)
        when { principal.teams.contains("routing") };"#;
    write(admin, "teams", text).await.created();
    let seat = format!("/v1/teams/routing/members/{}", ann.id);
    // The key itself is not touched.
    for _ in 0..2 {
        assert_eq!(house.asker.bare(&key).await, "condition_denied");
        admin.delete(&seat).await.gone();
        assert_eq!(house.asker.bare(&key).await, "valid");
        assert_eq!(house.asker.bare(&key).await, "valid");
        admin.put(&seat, json!(null)).await.ok();
        assert_eq!(house.asker.bare(&key).await, "condition_denied");
    }
    admin.change(&key, json!({"owner": house.acme.account})).await;
    assert_eq!(house.asker.bare(&key).await, "valid");
}

async fn policies_and_tags_survive_a_restart(mut house: House) {
    let (ci, other) = (house.admin.issue(json!({"tags": ["ci"]})).await, house.admin.issue(json!({})).await);
    write(&house.admin, "tags", &tagged("ci")).await.created();
    house.restart().await;
    assert_eq!(house.asker.bare(&ci).await, "condition_denied");
    assert_eq!(house.asker.bare(&other).await, "valid");
    put(&house.admin, "tags", ALL).await;
    assert_eq!(house.asker.bare(&other).await, "condition_denied");
}

async fn a_new_project_is_under_the_organizations_policies(house: House) {
    write(&house.admin, "all", ALL).await.created();
    house.admin.post("/v1/projects", json!({"name": "New", "slug": "new"})).await.created();
    let environment = json!({"name": "Production", "slug": "production"});
    house.admin.post("/v1/projects/new/environments", environment).await.created();
    house.admin.post("/v1/projects/new/service-accounts", json!({"name": "worker"})).await.created();
    let asker = house.admin.make_asker("new", "production").await;
    let key = house.admin.issue_in("new", json!({"owner": "worker"})).await;
    assert_eq!(asker.bare(&key).await, "condition_denied");
}

async fn a_projects_policies_are_about_its_own_keys(house: House) {
    house.admin.post("/v1/projects", json!({"name": "New", "slug": "new"})).await.created();
    let key = house.admin.issue(json!({})).await;
    let new = json!({"name": "new", "text": ALL, "project": "new"});
    house.admin.post(PATH, new).await.created();
    assert_eq!(house.asker.bare(&key).await, "valid");
    let own = json!({"name": "own", "text": ALL, "project": "registry"});
    house.admin.post(PATH, own).await.created();
    assert_eq!(house.asker.bare(&key).await, "condition_denied");
}
