//! `/v1/policies`

mod administration;
mod attributes;
mod examples;
mod lives;

use crate::house::{Answer, Client, House, on_both_engines};
use serde_json::{Value, json};

on_both_engines! {
    a_policy_is_written_changed_and_deleted_on_record,
    a_text_that_is_no_policy_is_refused_with_its_place,
    only_who_may_sees_and_writes_policies,
    a_candidate_is_tried_and_changes_nothing,
    there_are_so_many_and_no_more,
    another_tenants_policies_are_about_its_own_keys,
}

const PATH: &str = "/v1/policies";
/// Every key, whatever the request.
const ALL: &str = r#"forbid (principal is Key, action == Action::"verify", resource);"#;

pub(crate) async fn write(client: &Client, name: &str, text: &str) -> Answer {
    client.post(PATH, json!({"name": name, "text": text})).await
}

/// Puts a policy in force, in place of what had its name.
async fn put(client: &Client, name: &str, text: &str) {
    let at = format!("{PATH}/{name}");
    if client.get(&at).await.status == 200 {
        client.patch(&at, json!({"text": text, "enabled": true})).await.ok();
    } else {
        write(client, name, text).await.created();
    }
}

async fn a_policy_is_written_changed_and_deleted_on_record(house: House) {
    let new = json!({"name": "night", "project": "registry", "text": ALL, "enabled": false,
        "description": "Nothing at night"});
    let made = house.admin.post(PATH, new).await.created();
    assert_eq!(
        (&made["project"], &made["enabled"], &made["version"]),
        (&json!("registry"), &json!(false), &json!(1))
    );
    let id = made["id"].as_str().unwrap();
    assert!(id.starts_with("pol_"));
    for named in [id, "night"] {
        assert_eq!(house.admin.get(&format!("{PATH}/{named}")).await.ok(), made);
    }
    write(&house.admin, "night", ALL).await.refused(409, "conflict");
    for reserved in ["schema", "test", "candidate"] {
        write(&house.admin, reserved, ALL).await.wrong_field("invalid_field", "/name");
    }
    house.wait(1);
    write(&house.admin, "ours", ALL).await.created();
    let list = async |query: &str| {
        let page = house.admin.get(&format!("{PATH}?{query}")).await.ok();
        page["items"].as_array().unwrap().iter().map(|one| one["name"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(list("").await, ["ours", "night"]);
    assert_eq!(list("project=registry").await, ["night"]);
    house.admin.get(&format!("{PATH}?project=none")).await.wrong_field("unknown_name", "/project");
    let at = format!("{PATH}/night");
    let patch = async |version: &str, body: Value| {
        house.admin.call(http::Method::PATCH, &at, Some(body), &[("if-match", version)]).await
    };
    patch("\"2\"", json!({"enabled": true})).await.refused(412, "precondition_failed");
    assert_eq!(patch("\"1\"", json!({"enabled": true})).await.ok()["version"], 2);
    // Again the same is no change.
    assert_eq!(patch("\"2\"", json!({"enabled": true})).await.ok()["version"], 2);
    house.admin.delete(&at).await.gone();
    house.admin.get(&at).await.refused(404, "not_found");
    for (action, count) in [("create", 2), ("update", 1), ("delete", 1)] {
        assert_eq!(house.admin.audit(&format!("action=policy.{action}")).await.len(), count, "{action}");
    }
    let schema = house.asker.get(&format!("{PATH}/schema")).await.ok();
    assert!(schema["schema"].as_str().unwrap().contains("action \"keys.delete\""), "{schema}");
}

async fn a_text_that_is_no_policy_is_refused_with_its_place(house: House) {
    for (text, place, advice) in [
        ("permit (principal, action, resource);", "Line 1, column 1", "forbid"),
        (
            "\n forbid (principal is Key, action == Action::\"verify\", resource) when { principal.tag == \"a\" };",
            "Line 2, column",
            "tags",
        ),
        ("forbid (", "Line 1", "schema"),
        ("forbid (principal in Team::\"Admin\", action, resource);", "Line 1, column 22", "teams.contains"),
    ] {
        let problem = write(&house.admin, "wrong", text).await.refused(422, "invalid_field");
        let told = format!("{} {}", problem["detail"], problem["errors"]);
        assert!(told.contains(place), "{told}");
        assert!(format!("{} {}", problem["fix"], problem["errors"]).contains(advice), "{problem}");
    }
    let long = format!("// {}\n{ALL}", "x".repeat(16_384));
    write(&house.admin, "wrong", &long).await.wrong_field("invalid_field", "/text");
    write(&house.admin, "Wrong name", ALL).await.wrong_field("invalid_field", "/name");
    house
        .admin
        .post(PATH, json!({"name": "a", "text": ALL, "project": "none"}))
        .await
        .wrong_field("unknown_name", "/project");
    write(&house.admin, "right", ALL).await.created();
    house
        .admin
        .patch(&format!("{PATH}/right"), json!({"text": "permit (principal, action, resource);"}))
        .await
        .refused(422, "invalid_field");
    assert_eq!(house.admin.get(PATH).await.ok()["items"].as_array().unwrap().len(), 1);
}

async fn only_who_may_sees_and_writes_policies(house: House) {
    let made = write(&house.admin, "night", ALL).await.created();
    let at = format!("{PATH}/night");
    let looker = house.person("lo@example.com", &["policies.read"]).await;
    let (looker, nobody) =
        (house.sign_in(&looker).await, house.person("no@example.com", &["keys.own"]).await);
    let nobody = house.sign_in(&nobody).await;
    assert_eq!(looker.get(&at).await.ok(), made);
    for who in [&looker, &nobody] {
        write(who, "other", ALL).await.refused(403, "forbidden");
        who.patch(&at, json!({"enabled": false})).await.refused(403, "forbidden");
        who.delete(&at).await.refused(403, "forbidden");
    }
    nobody.get(&at).await.refused(403, "forbidden");
    nobody.get(PATH).await.refused(403, "forbidden");
    // The rights of one project are enough for its own.
    let resource = format!("projects/{}", house.acme.project);
    let grants = json!([{"permission": "policies.*", "resources": [format!("{resource}/**"), resource]}]);
    let narrow = house.admin.person("Nora", grants, json!([])).await;
    write(&narrow, "all", ALL).await.refused(403, "forbidden");
    let own = json!({"name": "own", "text": ALL, "project": "registry"});
    narrow.post(PATH, own).await.created();
    narrow.get(&format!("{PATH}/own")).await.ok();
    narrow.get(&at).await.refused(403, "forbidden");
    narrow.delete(&format!("{PATH}/own")).await.gone();
}

async fn a_candidate_is_tried_and_changes_nothing(house: House) {
    let ci = house.admin.issue(json!({"tags": ["ci"]})).await;
    let other = house.admin.issue(json!({})).await;
    let text = r#"forbid (principal is Key, action == Action::"verify", resource) when { principal.tags.contains("ci") };"#;
    let case = |key: &str, expect: &str| json!({"name": key, "key": key, "expect": expect});
    let test = async |body: Value| house.admin.post(&format!("{PATH}/test"), body).await;
    let mut forbidden = case(&ci.id, "forbid");
    forbidden["by"] = "candidate".into();
    let tried = test(
        json!({"text": text, "cases": [forbidden, case(&other.id, "allow"), case(&other.id, "forbid")]}),
    )
    .await
    .ok();
    let passed: Vec<_> =
        tried["cases"].as_array().unwrap().iter().map(|case| case["passed"].clone()).collect();
    assert_eq!(passed, [true, true, false], "{tried}");
    assert_eq!((&tried["passed"], &tried["cases"][0]["by"][0]["policy"]), (&json!(false), &json!(null)));
    assert_eq!(house.asker.bare(&ci).await, "valid", "a try is no policy");
    // In place of a saved one, and beside the others.
    write(&house.admin, "all", ALL).await.created();
    let here = test(json!({"cases": [case(&other.id, "forbid")]})).await.ok();
    assert_eq!((&here["passed"], &here["cases"][0]["by"][0]["name"]), (&json!(true), &json!("all")));
    let instead =
        test(json!({"policy": "all", "text": text, "cases": [case(&other.id, "allow")]})).await.ok();
    assert_eq!(instead["passed"], true);
    // Who does not exist is described.
    let described = json!({"name": "d", "project": "registry", "environment": "production", "expect": "forbid",
        "principal": {"tags": ["ci"], "kind": "partner", "owner": "x", "owner_kind": "team_member", "teams": ["a"]}});
    assert_eq!(test(json!({"policy": "all", "text": text, "cases": [described]})).await.ok()["passed"], true);
    for (case, field) in [
        (json!({"name": "x", "expect": "allow"}), "/cases/0/principal"),
        (json!({"name": "x", "expect": "allow", "key": house.acme.project}), "/cases/0/key"),
        (json!({"name": "x", "expect": "allow", "key": other.id, "action": "steal"}), "/cases/0/action"),
        (json!({"name": "x", "expect": "allow", "principal": {}}), "/cases/0/environment"),
        (json!({"name": "x", "expect": "allow", "principal": {}, "project": "none"}), "/cases/0/project"),
        (json!({"name": "x", "expect": "allow", "key": other.id, "by": "nobody"}), "/cases/0/by"),
    ] {
        let problem = test(json!({"cases": [case]})).await;
        assert_eq!(
            (problem.status.as_u16(), &problem.body["field"]),
            (422, &json!(field)),
            "{}",
            problem.text
        );
    }
    test(json!({"cases": []})).await.wrong_field("invalid_field", "/cases");
    // Another tenant's key is no key.
    let theirs = house.other.post(&format!("{PATH}/test"), json!({"cases": [case(&ci.id, "allow")]})).await;
    theirs.wrong_field("unknown_name", "/cases/0/key");
    assert_eq!(house.admin.audit("action=policy.create").await.len(), 1);
}

async fn there_are_so_many_and_no_more(house: House) {
    let new =
        |n: usize| json!({"name": format!("p{n}"), "text": ALL, "enabled": false, "project": "registry"});
    for n in 0..64 {
        house.admin.post(PATH, new(n)).await.created();
    }
    house.admin.post(PATH, new(64)).await.refused(409, "conflict");
    write(&house.admin, "organization", ALL).await.created();
    house.admin.delete(&format!("{PATH}/p0")).await.gone();
    house.admin.post(PATH, new(64)).await.created();
}

async fn another_tenants_policies_are_about_its_own_keys(house: House) {
    let key = house.admin.issue(json!({})).await;
    write(&house.other, "all", ALL).await.created();
    assert_eq!(house.asker.bare(&key).await, "valid");
    house.admin.get(&format!("{PATH}/all")).await.refused(404, "not_found");
    let same = write(&house.admin, "all", ALL).await.created();
    assert_eq!(house.asker.bare(&key).await, "condition_denied");
    house.other.delete(&format!("{PATH}/{}", same["id"].as_str().unwrap())).await.refused(404, "not_found");
    house.other.delete(&format!("{PATH}/all")).await.gone();
    assert_eq!(house.asker.bare(&key).await, "condition_denied");
}
