//! `/v1/members`

use crate::house::{House, on_both_engines};
use serde_json::json;

on_both_engines! {
    members_are_added_changed_and_audited,
    one_address_is_one_person_lessons_23,
    wrong_fields_are_refused,
    oneself_is_seen_by_everyone,
    who_owns_keys_is_not_deleted,
    a_grant_names_what_exists,
}

async fn members_are_added_changed_and_audited(house: House) {
    let admin = &house.admin;
    house.admin.team("routing", json!([])).await;
    let grants = json!([
        {"permission": "keys.own", "resources": ["projects/registry"]},
        {"role": "editor", "project": "registry", "environment": "production", "resources": ["networks/NET-7"]},
    ]);
    let body = json!({"email": "ann@example.net", "name": "Ann", "grants": &grants, "teams": ["routing"]});
    let made = admin.post("/v1/members", body).await.created();
    assert_eq!(made["email"], "ann@example.net");
    assert_eq!(made["teams"][0]["name"], "routing");
    assert_eq!(made["grants"], grants, "shown as they were sent");
    assert_eq!(made["grants"][1]["role"], "editor");
    assert_eq!(made["grants"][1]["environment"], "production");
    assert_eq!(made["joined_at"], json!(null));
    let id = made["id"].as_str().unwrap();
    assert_eq!(admin.get(&format!("/v1/members/{id}")).await.ok(), made);
    assert_eq!(admin.get("/v1/members/ann@example.net").await.ok(), made);
    assert_eq!(admin.get("/v1/members").await.ok()["items"], json!([made]));
    house.wait(1);
    let change = json!({"name": "Ann B.", "disabled": true});
    let changed = admin.patch(&format!("/v1/members/{id}"), change).await.ok();
    assert_eq!((&changed["name"], &changed["disabled"]), (&json!("Ann B."), &json!(true)));
    assert_eq!(changed["disabled_at"], "2026-01-01T00:00:01Z");
    assert_eq!(changed["grants"], made["grants"]);
    let records = admin.audit(&format!("target={id}")).await;
    let actions: Vec<_> = records.iter().map(|record| record["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["member.update", "member.create"]);
    assert_eq!(records[0]["after"]["disabled"], true);
    let path = format!("/v1/members/{id}");
    let stale = Some(json!({"name": "Ann"}));
    let stale = admin.call(http::Method::PATCH, &path, stale, &[("if-match", "\"1\"")]);
    stale.await.refused(412, "precondition_failed");
    admin.delete(&format!("/v1/members/{id}")).await.gone();
    admin.get(&format!("/v1/members/{id}")).await.refused(404, "not_found");
}

/// LESSONS 23: names that differ in case or spaces evaded what was set for the other.
async fn one_address_is_one_person_lessons_23(house: House) {
    let admin = &house.admin;
    let add = async |email: &str| admin.post("/v1/members", json!({"email": email, "name": "Ann"})).await;
    assert_eq!(add(" Ann@Example.NET ").await.created()["email"], "ann@example.net");
    add("ann@example.net").await.refused(409, "conflict");
    add("ANN@EXAMPLE.NET").await.refused(409, "conflict");
    assert_eq!(admin.get("/v1/members/ANN@example.net").await.ok()["name"], "Ann");
}

async fn wrong_fields_are_refused(house: House) {
    let admin = &house.admin;
    let add = async |body| admin.post("/v1/members", body).await;
    add(json!({"email": "no address", "name": "Ann"})).await.wrong_field("invalid_field", "/email");
    add(json!({"email": "a@example.net", "name": ""})).await.wrong_field("invalid_field", "/name");
    let many: Vec<_> = (0..65).map(|number| format!("team-{number}")).collect();
    add(json!({"email": "a@example.net", "name": "A", "teams": many}))
        .await
        .wrong_field("invalid_field", "/teams");
    let unknown = json!({"email": "a@example.net", "name": "A", "teams": ["nobody"]});
    add(unknown).await.wrong_field("unknown_name", "/teams/0");
    let grants = |grants| json!({"email": "a@example.net", "name": "A", "grants": grants});
    let many: Vec<_> = (0..65).map(|_| json!({"permission": "keys.own"})).collect();
    add(grants(json!(many))).await.wrong_field("invalid_field", "/grants");
    let twice = json!([{"permission": "keys.own"}, {"permission": "keys.own"}]);
    add(grants(twice)).await.wrong_field("invalid_field", "/grants/1");
    assert_eq!(admin.get("/v1/members").await.ok()["items"], json!([]), "nothing is half done");
}

async fn a_grant_names_what_exists(house: House) {
    let add = async |grant: serde_json::Value| {
        let body = json!({"email": "a@example.net", "name": "A", "grants": [grant]});
        house.admin.post("/v1/members", body).await
    };
    for (grant, field) in [
        (json!({"permission": "no.such"}), "/grants/0/permission"),
        (json!({"permission": "no.such", "project": "registry"}), "/grants/0/permission"),
        (json!({"permission": "no.such", "project": "*"}), "/grants/0/permission"),
        (json!({"permission": "routes.read", "project": "nowhere"}), "/grants/0/project"),
        (
            json!({"permission": "routes.read", "project": "registry", "environment": "nowhere"}),
            "/grants/0/environment",
        ),
        (json!({"role": "nobody", "project": "registry"}), "/grants/0/role"),
        (json!({"role": house.others.role, "project": "registry"}), "/grants/0/role"),
        (json!({"role": "editor", "project": "*"}), "/grants/0/role"),
        (json!({"permission": "keys.own", "resources": ["projects/nowhere"]}), "/grants/0/resources/0"),
    ] {
        add(grant).await.wrong_field("unknown_name", field);
    }
    add(json!({})).await.wrong_field("invalid_field", "/grants/0");
    add(json!({"permission": "routes.read", "role": "editor", "project": "registry"}))
        .await
        .wrong_field("invalid_field", "/grants/0");
}

async fn oneself_is_seen_by_everyone(house: House) {
    let ann = house.admin.person("Ann", json!([]), json!([])).await;
    let bob = house.admin.person("Bob", json!([]), json!([])).await;
    assert_eq!(ann.get("/v1/members/me").await.ok()["id"], ann.id);
    assert_eq!(ann.get(&format!("/v1/members/{}", ann.id)).await.ok()["name"], "Ann");
    ann.get(&format!("/v1/members/{}", bob.id)).await.refused(403, "forbidden");
    ann.get("/v1/members").await.refused(403, "forbidden");
    house.admin.get("/v1/members/me").await.refused(404, "not_found");
}

async fn who_owns_keys_is_not_deleted(house: House) {
    let ann = house.admin.person("Ann", json!([]), json!([])).await;
    house.admin.delete(&format!("/v1/members/{}", ann.id)).await.refused(409, "conflict");
    let keys = house.admin.get(&format!("/v1/members/{}/keys", ann.id)).await.ok();
    assert_eq!(keys["items"].as_array().unwrap().len(), 1);
    assert_eq!(keys["items"][0]["project"], "keystead");
}
