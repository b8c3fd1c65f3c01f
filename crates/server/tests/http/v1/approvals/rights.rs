//! Who may approve what, and that an approval dies with any right that it rests on.

use super::*;
use crate::house::on_both_engines;

on_both_engines! {
    nobody_approves_beyond_what_they_may_do,
    keys_of_keystead_itself_are_approved_by_who_has_what_they_give,
    an_approval_dies_with_the_approvers_rights,
    an_approval_dies_with_the_rights_of_who_asked,
    a_role_that_grows_meanwhile_is_not_what_was_approved,
    guardrails_hold_when_it_is_redeemed,
    to_give_the_right_to_decide_takes_the_second_factor,
}

async fn nobody_approves_beyond_what_they_may_do(house: House) {
    let scene = Scene::set(house).await;
    let id = scene.ask().await;
    let decides = |more: Value| {
        let mut grants = vec![json!({"permission": "approvals.*"})];
        grants.extend(more.as_array().unwrap().clone());
        json!(grants)
    };
    let only = join(&scene.house, "dan", decides(json!([]))).await;
    only.post(&path(&id, "approve"), json!({})).await.refused(403, "forbidden");
    let elsewhere =
        json!([{"permission": "approvals.*", "resources": ["projects/keystead"]}, {"permission": "keys.*"}]);
    let elsewhere = join(&scene.house, "eve", elsewhere).await;
    elsewhere.post(&path(&id, "approve"), json!({})).await.refused(403, "forbidden");
    let there = json!([
        {"permission": "approvals.*", "resources": ["projects/registry"]},
        {"permission": "keys.create", "resources": ["projects/registry"]},
    ]);
    let there = join(&scene.house, "fay", there).await;
    assert_eq!(there.get("/v1/approvals?project=registry").await.ok()["items"][0]["id"], json!(id));
    there.post(&path(&id, "approve"), json!({})).await.ok();
}

async fn keys_of_keystead_itself_are_approved_by_who_has_what_they_give(house: House) {
    let scene = Scene::set(house).await;
    let rules = json!({"every_kind": {"approval": {"sensitive_permissions": true}}});
    scene.admin.put("/v1/projects/keystead/guardrails", rules).await.ok();
    let environment = scene.admin.get("/v1/projects/keystead/environments").await.ok();
    let create = json!({"name": "K", "environment": environment["items"][0]["slug"],
        "permissions": ["catalogue.write"]});
    needs_approval(scene.carol.post("/v1/projects/keystead/keys", create.clone()).await, &[SENSITIVE]);
    let ask = json!({"why": "x", "project": "keystead", "create": create});
    let id = id_of(&scene.carol.post("/v1/approvals", ask).await.created());
    // Bob manages keys, and may not change catalogues himself.
    scene.bob.post(&path(&id, "approve"), json!({})).await.refused(403, "forbidden");
    let dan = join(&scene.house, "dan", json!([{"role": "administrator"}])).await;
    dan.post(&path(&id, "approve"), json!({})).await.ok();
    // He loses one right that the key would have, not the right to decide.
    let less = json!({"grants": [{"permission": "approvals.*"}, {"permission": "keys.*"}]});
    scene.admin.patch(&format!("/v1/members/{}", dan.id), less).await.ok();
    scene.carol.poke(&path(&id, "redeem")).await.refused(409, "conflict");
}

async fn an_approval_dies_with_the_approvers_rights(house: House) {
    let scene = Scene::set(house).await;
    let id = scene.ask().await;
    scene.approve(&id).await;
    let bob = format!("/v1/members/{}", scene.bob.id);
    for lost in [
        json!({"grants": [{"permission": "keys.*"}]}),
        json!({"grants": [{"permission": "approvals.decide"}]}),
        json!({"grants": [{"role": "key-manager"}], "disabled": true}),
    ] {
        scene.admin.patch(&bob, lost).await.ok();
        scene.ann.poke(&path(&id, "redeem")).await.refused(409, "conflict");
    }
    // It was not used up by that.
    scene.admin.patch(&bob, json!({"disabled": false})).await.ok();
    redeem(&scene.ann, &id).await;
    let gone = scene.ask().await;
    scene.carol.post(&path(&gone, "approve"), json!({})).await.ok();
    scene.admin.delete(&format!("/v1/members/{}", scene.carol.id)).await.gone();
    scene.ann.poke(&path(&gone, "redeem")).await.refused(409, "conflict");
}

async fn an_approval_dies_with_the_rights_of_who_asked(house: House) {
    let scene = Scene::set(house).await;
    let (approved, pending) = (scene.ask().await, scene.ask().await);
    scene.approve(&approved).await;
    let ann = format!("/v1/members/{}", scene.ann.id);
    let no_keys = json!({"grants": [{"permission": "**", "project": "registry"}]});
    scene.admin.patch(&ann, no_keys).await.ok();
    scene.ann.poke(&path(&approved, "redeem")).await.refused(403, "forbidden");
    scene.bob.post(&path(&pending, "approve"), json!({})).await.refused(409, "conflict");
    let no_zones = json!({"grants": [{"permission": "keys.own"}]});
    scene.admin.patch(&ann, no_zones).await.ok();
    scene.ann.poke(&path(&approved, "redeem")).await.refused(403, "forbidden");
    scene.bob.post(&path(&pending, "approve"), json!({})).await.refused(403, "forbidden");
    scene.admin.patch(&ann, json!({"disabled": true})).await.ok();
    scene.ann.poke(&path(&approved, "redeem")).await.refused(401, "unauthenticated");
    scene.bob.post(&path(&pending, "approve"), json!({})).await.refused(409, "conflict");
    assert_eq!(scene.admin.get(KEYS).await.ok()["items"], json!([]));
}

async fn a_role_that_grows_meanwhile_is_not_what_was_approved(house: House) {
    let scene = Scene::set(house).await;
    let role = json!({"name": "purger", "permissions": ["zones.delete"]});
    scene.admin.post("/v1/projects/registry/roles", role).await.created();
    let wish = json!({"permissions": [], "roles": ["purger"]});
    let id = id_of(&asked(&scene.ann, wish.clone()).await.created());
    let pending = id_of(&asked(&scene.ann, wish).await.created());
    scene.approve(&id).await;
    let role = "/v1/projects/registry/roles/purger";
    scene.admin.patch(role, json!({"permissions": ["**"]})).await.ok();
    scene.ann.poke(&path(&id, "redeem")).await.refused(409, "conflict");
    scene.bob.post(&path(&pending, "approve"), json!({})).await.refused(409, "conflict");
    scene.admin.patch(role, json!({"permissions": ["zones.delete"]})).await.ok();
    let key = redeem(&scene.ann, &id).await;
    assert_eq!(scene.deletes(&key).await, "valid");
}

async fn guardrails_hold_when_it_is_redeemed(house: House) {
    let scene = Scene::set(house).await;
    let id = scene.ask().await;
    scene.approve(&id).await;
    let rules = json!({"every_kind": {"expiry_required": true, "approval": {"sensitive_permissions": true}}});
    scene.admin.put("/v1/guardrails", rules).await.ok();
    let problem = scene.ann.poke(&path(&id, "redeem")).await.refused(422, "guardrail_violated");
    assert_eq!(problem["violations"][0]["guardrail"], "expiry_required");
    // Nor is one asked for that an approval would not lift.
    asked(&scene.ann, json!({})).await.refused(422, "guardrail_violated");
    scene.admin.delete("/v1/projects/registry/permissions/zones.delete").await.gone();
    guard(&scene.admin, json!({"sensitive_permissions": true})).await;
    scene.ann.poke(&path(&id, "redeem")).await.wrong_field("unknown_name", "/create/permissions/0");
}

async fn to_give_the_right_to_decide_takes_the_second_factor(house: House) {
    let scene = Scene::set(house).await;
    let dan = json!({"email": "dan@example.com", "name": "Dan", "grants": [{"role": "key-manager"}]});
    scene.carol.post("/v1/members", dan.clone()).await.refused(403, "second_factor_required");
    let (secret, _) = scene.second_factor(&scene.carol).await;
    // With a second factor, approving asks for it again, too.
    let id = scene.ask().await;
    scene.house.wait(600);
    scene.carol.post(&path(&id, "approve"), json!({})).await.refused(403, "second_factor_required");
    let code = json!({"code": scene.code(&secret)});
    scene.carol.post("/v1/sessions/current/second-factor", code).await.ok();
    scene.carol.post(&path(&id, "approve"), json!({})).await.ok();
    scene.carol.post("/v1/members", dan).await.created();
}
