//! The way of a request: asked, decided, redeemed; and what ends it on the way.

use super::*;
use crate::house::on_both_engines;

on_both_engines! {
    a_key_is_asked_for_approved_and_redeemed_once,
    each_guardrail_demands_what_it_says,
    denied_withdrawn_and_expired_ones_are_never_redeemed,
    a_change_is_approved_for_the_version_that_was_seen,
    what_needs_none_or_is_nonsense_is_refused,
    a_person_has_so_many_open_requests,
    who_asked_sees_their_own_and_others_need_the_right,
    what_is_over_is_forgotten_after_a_while,
}

async fn a_key_is_asked_for_approved_and_redeemed_once(house: House) {
    let scene = Scene::set(house).await;
    needs_approval(scene.ann.post(KEYS, wish(json!({}))).await, &[SENSITIVE]);
    let request = asked(&scene.ann, json!({})).await.created();
    let id = id_of(&request);
    assert_eq!((&request["state"], &request["name"]), (&json!("pending"), &json!("Purge")));
    assert_eq!(request["requester"], json!({"id": scene.ann.id, "name": "ann"}));
    assert_eq!(request["needs"][0]["guardrail"], "approval_sensitive_permissions");
    scene.ann.poke(&path(&id, "redeem")).await.refused(409, "conflict");
    assert_eq!(
        scene.admin.get(KEYS).await.ok()["items"],
        json!([]),
        "nothing was made to see what it comes to"
    );
    let listed = scene.bob.get("/v1/approvals?state=pending").await.ok();
    assert_eq!(id_of(&listed["items"][0]), id);
    let comment = json!({"comment": "Until the move is over"});
    let approved = scene.bob.post(&path(&id, "approve"), comment).await.ok();
    assert_eq!(
        (&approved["state"], &approved["decision"]["by"]["name"]),
        (&json!("approved"), &json!("bob"))
    );
    scene.bob.poke(&path(&id, "redeem")).await.refused(403, "forbidden");
    scene.carol.poke(&path(&id, "redeem")).await.refused(403, "forbidden");
    let key = redeem(&scene.ann, &id).await;
    assert_eq!(scene.deletes(&key).await, "valid");
    assert_eq!(key.shown["owner"]["id"], json!(scene.ann.id));
    scene.ann.poke(&path(&id, "redeem")).await.refused(409, "conflict");
    let seen = scene.ann.get(&format!("/v1/approvals/{id}")).await.ok();
    assert_eq!((&seen["state"], &seen["key_id"]), (&json!("redeemed"), &json!(key.id)));
    assert_eq!(
        scene.actions(&format!("target={id}")).await,
        ["approval.approve", "approval.redeem", "approval.request"]
    );
    for record in scene.admin.audit(&format!("target={id}")).await {
        let by = if record["action"] == "approval.approve" { &scene.bob } else { &scene.ann };
        assert_eq!(record["actor"]["member"], json!(by.id), "{record}");
        assert!(record["actor"]["session"].as_str().unwrap().starts_with("ses_"), "{record}");
    }
    assert_eq!(scene.actions(&format!("target={}", key.id)).await, ["key.create"]);
    // It is as it was approved: the report has no word of it.
    let report = "/v1/projects/registry/guardrails/report";
    assert_eq!(scene.admin.get(report).await.ok()["items"], json!([]));
}

async fn each_guardrail_demands_what_it_says(house: House) {
    let scene = Scene::set(house).await;
    let all = json!({"sensitive_permissions": true, "lifetime_over": "90d", "without_networks": true});
    guard(&scene.admin, all).await;
    let body = json!({"name": "A", "environment": "production", "permissions": ["zones.*"]});
    needs_approval(scene.ann.post(KEYS, body).await, &[SENSITIVE, LONG, ANYWHERE]);
    let narrow = json!({"name": "A", "environment": "production", "permissions": ["zones.read"],
        "restrictions": {"networks": {"allow": ["192.0.2.0/24"]}}, "expires_at": "2027-03-01T00:00:00Z"});
    scene.house.at("2027-01-01T00:00:00Z");
    let mut scene = scene;
    scene.sign_in_again().await;
    scene.ann.post(KEYS, narrow.clone()).await.created();
    let long = merged(narrow, json!({"expires_at": "2027-06-01T00:00:00Z"}));
    needs_approval(scene.ann.post(KEYS, long).await, &[LONG]);
    // A project's hold besides, and loosen nothing.
    let own = json!({"every_kind": {"approval": {"lifetime_over": "365d"}}});
    scene.admin.put("/v1/projects/registry/guardrails", own).await.ok();
    let effective = scene.admin.get("/v1/projects/registry/guardrails").await.ok()["effective"].clone();
    let found = effective.as_array().unwrap().iter().find(|one| one["guardrail"] == "approval_lifetime_over");
    assert_eq!(found.unwrap()["value"], "90d");
}

async fn denied_withdrawn_and_expired_ones_are_never_redeemed(house: House) {
    let mut scene = Scene::set(house).await;
    let denied = scene.ask().await;
    scene.bob.post(&path(&denied, "deny"), json!({})).await.wrong_field("invalid_field", "/comment");
    let why = json!({"comment": "Use your own zone"});
    assert_eq!(scene.bob.post(&path(&denied, "deny"), why.clone()).await.ok()["decision"]["approved"], false);
    let withdrawn = scene.ask().await;
    scene.approve(&withdrawn).await;
    scene.bob.poke(&path(&withdrawn, "withdraw")).await.refused(403, "forbidden");
    scene.ann.poke(&path(&withdrawn, "withdraw")).await.ok();
    let late = scene.ask().await;
    let approved = scene.ask().await;
    scene.approve(&approved).await;
    scene.house.wait(86_400);
    scene.sign_in_again().await;
    scene.ann.poke(&path(&approved, "redeem")).await.refused(409, "conflict");
    scene.house.wait(6 * 86_400);
    scene.sign_in_again().await;
    scene.bob.post(&path(&late, "approve"), json!({})).await.refused(409, "conflict");
    for id in [&denied, &withdrawn, &late, &approved] {
        scene.ann.poke(&path(id, "redeem")).await.refused(409, "conflict");
        for act in ["approve", "deny"] {
            scene.bob.post(&path(id, act), why.clone()).await.refused(409, "conflict");
        }
        scene.ann.poke(&path(id, "withdraw")).await.refused(409, "conflict");
    }
    let states = async |state: &str| {
        let listed = scene.bob.get(&format!("/v1/approvals?state={state}")).await.ok();
        listed["items"].as_array().unwrap().len()
    };
    assert_eq!((states("expired").await, states("denied").await, states("withdrawn").await), (2, 1, 1));
    assert_eq!(scene.admin.get(KEYS).await.ok()["items"], json!([]));
}

async fn a_change_is_approved_for_the_version_that_was_seen(house: House) {
    let scene = Scene::set(house).await;
    let key = scene.ann.post(KEYS, wish(json!({"permissions": ["zones.read"]}))).await.created();
    let at = format!("/v1/keys/{}", id_of(&key));
    let change = json!({"permissions": ["zones.delete"]});
    needs_approval(scene.ann.patch(&at, change.clone()).await, &[SENSITIVE]);
    let ask = json!({"why": "It moves", "key": key["id"], "update": change});
    let first = id_of(&scene.ann.post("/v1/approvals", ask.clone()).await.created());
    let approved = scene.approve(&first).await;
    assert_eq!((&approved["key_id"], &approved["key_version"]), (&key["id"], &json!(1)));
    scene.ann.patch(&at, json!({"name": "Renamed"})).await.ok();
    scene.ann.poke(&path(&first, "redeem")).await.refused(409, "conflict");
    let stale = merged(ask.clone(), json!({"version": 1}));
    scene.ann.post("/v1/approvals", stale).await.refused(412, "precondition_failed");
    let second = id_of(&scene.ann.post("/v1/approvals", ask).await.created());
    scene.approve(&second).await;
    let changed = scene.ann.poke(&path(&second, "redeem")).await.ok();
    assert_eq!((&changed["permissions"], &changed["version"]), (&json!(["zones.delete"]), &json!(3)));
    assert!(changed.get("key").is_none());
    scene.ann.poke(&path(&second, "redeem")).await.refused(409, "conflict");
}

async fn what_needs_none_or_is_nonsense_is_refused(house: House) {
    let scene = Scene::set(house).await;
    let ask = async |body: Value| scene.ann.post("/v1/approvals", body).await;
    asked(&scene.ann, json!({"permissions": ["zones.read"]})).await.refused(409, "conflict");
    let create = || wish(json!({}));
    for (body, field) in [
        (json!({"why": "", "project": "registry", "create": create()}), "/why"),
        (json!({"why": "x"}), ""),
        (json!({"why": "x", "project": "registry"}), ""),
        (json!({"why": "x", "project": "registry", "create": create(), "key": "key_aaaaaaaaaaaa"}), ""),
        (
            json!({"why": "x", "project": "registry", "create": wish(json!({"break_glass": "now"}))}),
            "/create/break_glass",
        ),
        (json!({"why": "x", "project": "registry", "create": wish(json!({"name": ""}))}), "/create/name"),
    ] {
        ask(body).await.wrong_field("invalid_field", field);
    }
    for (body, field) in [
        (json!({"why": "x", "project": "nothing", "create": create()}), "/project"),
        (json!({"why": "x", "key": "key_aaaaaaaaaaaa", "update": {"name": "y"}}), "/key"),
        (
            json!({"why": "x", "project": "registry", "create": wish(json!({"environment": "moon"}))}),
            "/create/environment",
        ),
        (
            json!({"why": "x", "project": "registry", "create": wish(json!({"roles": ["moon"]}))}),
            "/create/roles/0",
        ),
    ] {
        ask(body).await.wrong_field("unknown_name", field);
    }
    let many: Vec<String> = (0..250).map(|n| format!("{}.{n}", "a".repeat(140))).collect();
    asked(&scene.ann, json!({"permissions": many})).await.wrong_field("invalid_field", "");
    // Who may make no keys, asks for none.
    let dan = join(&scene.house, "dan", json!([])).await;
    asked(&dan, json!({})).await.refused(403, "forbidden");
}

async fn a_person_has_so_many_open_requests(house: House) {
    let scene = Scene::set(house).await;
    let mut last = String::new();
    for _ in 0..20 {
        last = scene.ask().await;
    }
    asked(&scene.ann, json!({})).await.refused(409, "conflict");
    asked(&scene.carol, json!({})).await.created();
    scene.ann.poke(&path(&last, "withdraw")).await.ok();
    asked(&scene.ann, json!({})).await.created();
}

async fn who_asked_sees_their_own_and_others_need_the_right(house: House) {
    let scene = Scene::set(house).await;
    let anns = scene.ask().await;
    let carols = id_of(&asked(&scene.carol, json!({})).await.created());
    let listed = async |by: &Client, query: &str| -> Vec<String> {
        let page = by.get(&format!("/v1/approvals{query}")).await.ok();
        page["items"].as_array().unwrap().iter().map(id_of).collect()
    };
    assert_eq!(listed(&scene.ann, "").await, [anns.as_str()]);
    assert_eq!(listed(&scene.bob, "").await.len(), 2);
    assert_eq!(listed(&scene.carol, "?mine=true").await, [carols.as_str()]);
    assert_eq!(listed(&scene.admin, "?project=registry").await.len(), 2);
    assert!(listed(&scene.bob, "?project=keystead").await.is_empty());
    scene.ann.get(&format!("/v1/approvals/{carols}")).await.refused(403, "forbidden");
    scene.admin.get(&format!("/v1/approvals/{carols}")).await.ok();
    scene.asker.get("/v1/approvals").await.refused(403, "forbidden");
    scene.admin.get("/v1/approvals?mine=true").await.refused(403, "forbidden");
    scene.other.get(&format!("/v1/approvals/{anns}")).await.refused(404, "not_found");
    assert!(listed(&scene.other, "").await.is_empty());
    let auditor = join(&scene.house, "dora", json!([{"role": "auditor"}])).await;
    assert_eq!(listed(&auditor, "").await.len(), 2);
    auditor.post(&path(&anns, "approve"), json!({})).await.refused(403, "forbidden");
}

async fn what_is_over_is_forgotten_after_a_while(house: House) {
    let mut scene = Scene::set(house).await;
    let forgotten = scene.ask().await;
    let redeemed = scene.ask().await;
    scene.approve(&redeemed).await;
    redeem(&scene.ann, &redeemed).await;
    scene.house.wait(100 * 86_400);
    scene.house.restart().await;
    scene.sign_in_again().await;
    // Whoever tidies does it at its own time: that is tried by the store's contract.
    let seen = scene.ann.get(&format!("/v1/approvals/{redeemed}")).await.ok();
    assert_eq!(seen["state"], "redeemed");
    let state = scene.ann.get(&format!("/v1/approvals/{forgotten}")).await;
    assert!(state.status == 404 || state.body["state"] == "expired", "{}", state.text);
}
