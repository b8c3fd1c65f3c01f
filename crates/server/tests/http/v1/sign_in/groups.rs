//! The provider's groups are places in teams.

use super::{sign_in, with_corp};
use crate::house::{House, on_both_engines};
use serde_json::{Value, json};

on_both_engines! {
    groups_give_and_take_only_places_that_came_from_them,
    a_key_made_in_such_a_place_lives_with_the_group,
    what_a_deleted_provider_gave_is_taken_away,
}

fn ada(groups: Value) -> Value {
    json!({"email": "ada@example.com", "email_verified": true, "groups": groups})
}

async fn teams(house: &House) -> Vec<String> {
    let member = house.admin.get("/v1/members/ada@example.com").await.ok();
    let mut names: Vec<String> = member["teams"]
        .as_array()
        .unwrap()
        .iter()
        .map(|team| team["name"].as_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

/// A house in which the groups `net` and `dns` are teams.
async fn with_groups(house: &mut House) -> Option<crate::house::Provider> {
    house.admin.team("routing", json!([{"permission": "projects.read"}])).await;
    house.admin.team("dns", json!([])).await;
    house.admin.team("noc", json!([])).await;
    let mapping = json!([{"group": "net", "team": "routing"}, {"group": "dns", "team": "dns"}]);
    with_corp(house, json!({"groups_claim": "groups", "group_teams": mapping})).await
}

async fn groups_give_and_take_only_places_that_came_from_them(mut house: House) {
    let Some(provider) = with_groups(&mut house).await else { return };
    let come = async |groups: Value| {
        provider.says("ada", ada(groups)).await;
        sign_in(&house, &provider).await.0
    };
    let session = come(json!(["net", "unknown", "noc", "NET", 7])).await;
    assert_eq!(teams(&house).await, ["routing"]);
    // In the same answer as the sign-in: what the team may do, they may.
    session.get("/v1/projects").await.ok();
    // By hand, and so not the provider's.
    house.admin.put("/v1/teams/noc/members/ada@example.com", json!(null)).await.ok();
    come(json!(["net", "dns"])).await;
    assert_eq!(teams(&house).await, ["dns", "noc", "routing"]);
    // Placed by hand where the group had placed them: from then on it is somebody's decision.
    house.admin.put("/v1/teams/dns/members/ada@example.com", json!(null)).await.ok();
    come(json!([])).await;
    assert_eq!(teams(&house).await, ["dns", "noc"]);
    session.get("/v1/projects").await.refused(403, "forbidden");
    // And back: the same place. What is no list of groups is none.
    come(json!("net")).await;
    assert_eq!(teams(&house).await, ["dns", "noc", "routing"]);
    for none in [json!({"net": true}), json!(null), json!([["net"]])] {
        come(none).await;
        assert_eq!(teams(&house).await, ["dns", "noc"]);
        come(json!(["net"])).await;
    }
    // A claim that is left out is no group.
    provider.says("ada", json!({})).await;
    sign_in(&house, &provider).await;
    assert_eq!(teams(&house).await, ["dns", "noc"]);
    let records = house.admin.audit("action=team.leave").await;
    assert_eq!(records[0]["before"]["identity_provider"], "corp");
    assert_eq!(records[0]["actor"]["member"], records[0]["before"]["member"]);
}

async fn a_key_made_in_such_a_place_lives_with_the_group(mut house: House) {
    let Some(provider) = with_groups(&mut house).await else { return };
    let team =
        json!({"grants": [{"permission": "keys.own"}, {"permission": "zones.read", "project": "registry"}]});
    house.admin.patch("/v1/teams/routing", team).await.ok();
    provider.says("ada", ada(json!(["net"]))).await;
    let (session, _) = sign_in(&house, &provider).await;
    let body = json!({"name": "Mine", "environment": "production", "team": "routing", "permissions": ["zones.read"]});
    let made = session.post("/v1/projects/registry/keys", body).await.created();
    let key = made["key"].as_str().unwrap();
    assert_eq!(house.asker.ask(key, json!({"permissions": "zones.read"})).await["code"], "valid");
    provider.says("ada", ada(json!([]))).await;
    sign_in(&house, &provider).await;
    assert_eq!(house.asker.ask(key, json!({"permissions": "zones.read"})).await["code"], "disabled");
    provider.says("ada", ada(json!(["net"]))).await;
    sign_in(&house, &provider).await;
    assert_eq!(house.asker.ask(key, json!({"permissions": "zones.read"})).await["code"], "valid");
}

async fn what_a_deleted_provider_gave_is_taken_away(mut house: House) {
    let Some(provider) = with_groups(&mut house).await else { return };
    provider.says("ada", ada(json!(["net"]))).await;
    let (session, _) = sign_in(&house, &provider).await;
    house.admin.put("/v1/teams/noc/members/ada@example.com", json!(null)).await.ok();
    house.admin.delete("/v1/identity-providers/corp").await.gone();
    assert_eq!(teams(&house).await, ["noc"]);
    session.get("/v1/sessions/current").await.refused(401, "unauthenticated");
    let records = house.admin.audit("action=identity_provider.delete").await;
    let before = &records[0]["before"];
    assert_eq!(
        [&before["identities"], &before["sessions"], &before["places"]],
        [&json!(1), &json!(1), &json!(1)]
    );
    // The member stays, and can be known by another provider.
    super::add_corp(&house.admin, &provider, json!({})).await;
    let (_, who) = sign_in(&house, &provider).await;
    assert_eq!(who["member_id"], house.admin.get("/v1/members/ada@example.com").await.ok()["id"]);
}
