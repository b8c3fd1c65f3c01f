//! `/v1/teams`

use crate::house::{House, on_both_engines};
use serde_json::json;

on_both_engines! {
    teams_are_made_changed_and_audited,
    members_come_and_go,
    a_team_in_whose_name_keys_were_made_stays,
    wrong_fields_are_refused,
}

async fn teams_are_made_changed_and_audited(house: House) {
    let admin = &house.admin;
    let body = json!({
        "name": "routing", "purpose": "Routes", "contact": "routing@example.net",
        "grants": [{"role": "editor", "project": "registry"}],
    });
    let made = admin.post("/v1/teams", body.clone()).await.created();
    let id = made["id"].as_str().unwrap();
    assert_eq!(admin.get("/v1/teams/routing").await.ok(), made);
    assert_eq!(admin.get(&format!("/v1/teams/{id}")).await.ok(), made);
    assert_eq!(admin.get("/v1/teams").await.ok()["items"], json!([made]));
    admin.post("/v1/teams", body).await.refused(409, "conflict");
    let role = format!("/v1/projects/registry/roles/{}", house.acme.role);
    admin.delete(&role).await.refused(409, "conflict");
    house.wait(1);
    let change = json!({"contact": null, "grants": []});
    let changed = admin.patch("/v1/teams/routing", change).await.ok();
    assert_eq!((&changed["contact"], &changed["grants"]), (&json!(null), &json!([])));
    admin.delete(&role).await.gone();
    house.wait(1);
    admin.delete("/v1/teams/routing").await.gone();
    let records = admin.audit(&format!("target={id}")).await;
    let actions: Vec<_> = records.iter().map(|record| record["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["team.delete", "team.update", "team.create"]);
    assert_eq!(records[1]["before"]["grants"][0]["role"], "editor");
}

async fn members_come_and_go(house: House) {
    let admin = &house.admin;
    let team = admin.team("routing", json!([])).await;
    let ann = admin.person("Ann", json!([]), json!([])).await;
    let place = format!("/v1/teams/routing/members/{}", ann.id);
    house.wait(1);
    let members = admin.put(&place, json!(null)).await.ok();
    assert_eq!(members["members"][0]["member"], ann.id);
    assert_eq!(admin.put(&place, json!(null)).await.ok(), members, "who is in it stays");
    assert_eq!(admin.get("/v1/members/ann@example.net").await.ok()["teams"][0]["id"], team);
    house.wait(5);
    ann.delete("/v1/teams/routing/members/me").await.gone();
    let members = admin.get("/v1/teams/routing/members").await.ok();
    assert_eq!(members["members"][0]["left_at"], "2026-01-01T00:00:06Z");
    assert_eq!(admin.get("/v1/members/ann@example.net").await.ok()["teams"], json!([]));
    ann.delete("/v1/teams/routing/members/me").await.refused(404, "not_found");
    let records = admin.audit(&format!("target={team}")).await;
    let actions: Vec<_> = records.iter().map(|record| record["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["team.leave", "team.join", "team.create"]);
    assert_eq!(records[0]["actor"]["member"], ann.id);
    assert_eq!(records[1]["after"]["member"], ann.id);
    ann.delete(&format!("/v1/teams/routing/members/{}", ann.id)).await.refused(404, "not_found");
}

async fn a_team_in_whose_name_keys_were_made_stays(house: House) {
    let grants = json!([{"permission": "keys.own"}, {"permission": "routes.read", "project": "registry"}]);
    house.admin.team("routing", grants).await;
    let ann = house.admin.person("Ann", json!([]), json!(["routing"])).await;
    ann.make(json!({"team": "routing", "permissions": ["routes.read"]})).await;
    house.admin.delete("/v1/teams/routing").await.refused(409, "conflict");
}

async fn wrong_fields_are_refused(house: House) {
    let add = async |body| house.admin.post("/v1/teams", body).await;
    add(json!({"name": "Not a handle"})).await.wrong_field("invalid_field", "/name");
    add(json!({"name": "a", "contact": "nobody"})).await.wrong_field("invalid_field", "/contact");
    add(json!({"name": "a", "purpose": "x".repeat(1_025)})).await.wrong_field("invalid_field", "/purpose");
    house.admin.team("a", json!([])).await;
    let join = house.admin.put("/v1/teams/a/members/nobody@example.net", json!(null)).await;
    join.refused(404, "not_found");
}
