//! Breaking glass: at once, with a reason, and nobody overlooks it.

use super::*;
use crate::house::{LOG, on_both_engines};

on_both_engines! {
    who_may_breaks_glass_and_everybody_hears_of_it,
    glass_is_for_what_an_approval_would_lift,
}

async fn who_may_breaks_glass_and_everybody_hears_of_it(house: House) {
    let scene = Scene::set(house).await;
    let glass = json!({"break_glass": "The zone is poisoned"});
    scene.ann.post(KEYS, wish(glass.clone())).await.refused(403, "forbidden");
    // Bob decides on what others ask for, and may do nothing alone either.
    let body = wish(merged(glass.clone(), json!({"owner": "worker"})));
    scene.bob.post(KEYS, body).await.refused(403, "forbidden");
    let made = scene.carol.post(KEYS, wish(merged(glass, json!({"owner": "worker"})))).await.created();
    let id = id_of(&made);
    assert_eq!(scene.actions(&format!("target={id}")).await, ["key.break_glass", "key.create"]);
    let record = scene.admin.audit("action=key.break_glass").await.remove(0);
    assert_eq!(record["after"]["reason"], "The zone is poisoned");
    assert_eq!(record["after"]["guardrails"], json!([SENSITIVE.0]));
    assert_eq!(record["actor"]["member"], json!(scene.carol.id));
    let log = String::from_utf8_lossy(&LOG.lock()).into_owned();
    let line = log.lines().find(|line| line.contains("glass was broken") && line.contains(&id));
    assert!(line.unwrap().contains("WARN"), "{line:?}");
    let notices = scene.admin.get("/v1/projects/registry/notices").await.ok();
    let told: Vec<&Value> = notices["items"].as_array().unwrap().iter().collect();
    let mut to: Vec<&str> = told.iter().map(|one| one["recipients"][0].as_str().unwrap()).collect();
    to.sort_unstable();
    assert_eq!(to, ["bob@example.com", "carol@example.com"]);
    assert!(told.iter().all(|one| one["kind"] == "break_glass" && one["key_id"].is_null()));
    assert!(told[0]["body"].as_str().unwrap().contains("The zone is poisoned"));
    // Nobody approved it: the report says so.
    let report = scene.admin.get("/v1/projects/registry/guardrails/report").await.ok();
    assert_eq!(report["items"][0]["id"], json!(id));
    let at = format!("/v1/keys/{id}");
    scene.carol.patch(&at, json!({"permissions": ["zones.read"]})).await.ok();
    let wider = json!({"permissions": ["zones.delete"], "break_glass": "Again"});
    scene.bob.patch(&at, wider.clone()).await.refused(403, "forbidden");
    scene.carol.patch(&at, wider).await.ok();
    assert_eq!(scene.actions("action=key.break_glass").await.len(), 2);
    // The operator of an organization without people may, too.
    let key = wish(json!({"break_glass": "Nobody is here"}));
    scene.admin.post(KEYS, key).await.created();
}

async fn glass_is_for_what_an_approval_would_lift(house: House) {
    let scene = Scene::set(house).await;
    let plain = json!({"permissions": ["zones.read"], "break_glass": "Just so"});
    scene.carol.post(KEYS, wish(plain)).await.wrong_field("invalid_field", "/break_glass");
    scene
        .carol
        .post(KEYS, wish(json!({"break_glass": ""})))
        .await
        .wrong_field("invalid_field", "/break_glass");
    let rules = json!({"every_kind": {"expiry_required": true, "approval": {"sensitive_permissions": true}}});
    scene.admin.put("/v1/guardrails", rules).await.ok();
    let hard = wish(json!({"break_glass": "In a hurry"}));
    scene.carol.post(KEYS, hard).await.guarded(&[("expiry_required", "organization", "/expires_at")]);
    assert!(scene.actions("action=key.break_glass").await.is_empty());
    assert_eq!(scene.admin.get("/v1/projects/registry/notices").await.ok()["items"], json!([]));
}
