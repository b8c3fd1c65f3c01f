//! Nobody approves what they asked for: persons are compared, and only who signed in is one here.

use super::*;
use crate::house::on_both_engines;

on_both_engines! {
    nobody_approves_what_they_asked_for,
    a_key_of_anothers_that_one_knows_is_not_that_other,
    a_program_neither_asks_nor_decides_nor_redeems,
    in_a_teams_name_one_stays_oneself,
}

async fn nobody_approves_what_they_asked_for(house: House) {
    let scene = Scene::set(house).await;
    let id = id_of(&asked(&scene.carol, json!({})).await.created());
    // In the same session, in another one, and through a key of hers that may do everything.
    let again = sign_in(&scene.house, &scene.carol.email).await;
    let own = json!({"name": "Mine", "environment": "system", "permissions": ["approvals.*", "keys.*"]});
    let environment = scene.admin.get("/v1/projects/keystead/environments").await.ok();
    let own = merged(own, json!({"environment": environment["items"][0]["slug"]}));
    let own = scene.carol.post("/v1/projects/keystead/keys", own).await.created();
    let own = scene.carol.with_key(own["key"].as_str().unwrap());
    for caller in [&*scene.carol, &again, &own] {
        for act in ["approve", "deny"] {
            caller.post(&path(&id, act), json!({"comment": "I say so"})).await.refused(403, "forbidden");
        }
    }
    // Nor through a program that she made.
    scene.admin.post(&path(&id, "approve"), json!({})).await.refused(403, "forbidden");
    assert_eq!(scene.carol.get(&format!("/v1/approvals/{id}")).await.ok()["state"], "pending");
    scene.approve(&id).await;
    redeem(&scene.carol, &id).await;
}

/// Handed over, a key keeps its secret: who made it could act as its new owner.
async fn a_key_of_anothers_that_one_knows_is_not_that_other(house: House) {
    let scene = Scene::set(house).await;
    let key = scene.admin.issue_in("keystead", json!({"permissions": ["**"]})).await;
    scene.admin.patch(&key.path(), json!({"owner": scene.bob.id})).await.ok();
    let as_bob = scene.admin.with_key(&key.key);
    assert_eq!(as_bob.get("/v1/members/me").await.ok()["name"], "bob");
    let anns = scene.ask().await;
    as_bob.post(&path(&anns, "approve"), json!({})).await.refused(403, "forbidden");
    asked(&as_bob, json!({"owner": "worker"})).await.refused(403, "forbidden");
    let bobs = id_of(&asked(&scene.bob, json!({"owner": "worker"})).await.created());
    scene.carol.post(&path(&bobs, "approve"), json!({})).await.ok();
    as_bob.poke(&path(&bobs, "redeem")).await.refused(403, "forbidden");
    as_bob.poke(&path(&bobs, "withdraw")).await.refused(403, "forbidden");
    redeem(&scene.bob, &bobs).await;
}

async fn a_program_neither_asks_nor_decides_nor_redeems(house: House) {
    let scene = Scene::set(house).await;
    let id = scene.ask().await;
    asked(&scene.admin, json!({})).await.refused(403, "forbidden");
    for act in ["approve", "deny"] {
        scene.admin.post(&path(&id, act), json!({"comment": "x"})).await.refused(403, "forbidden");
    }
    for act in ["redeem", "withdraw"] {
        scene.admin.poke(&path(&id, act)).await.refused(403, "forbidden");
    }
}

async fn in_a_teams_name_one_stays_oneself(house: House) {
    let scene = Scene::set(house).await;
    let grants = json!([{"permission": "**", "project": "registry"}, {"role": "key-manager"}]);
    let team =
        id_of(&scene.admin.post("/v1/teams", json!({"name": "zones", "grants": grants})).await.created());
    for member in [&scene.ann.id, &scene.bob.id] {
        scene.admin.put(&format!("/v1/teams/zones/members/{member}"), json!(null)).await.ok();
    }
    let request = asked(&scene.ann, json!({"team": "zones"})).await.created();
    let id = id_of(&request);
    assert_eq!(request["team"], json!({"id": team, "name": "zones"}));
    scene.ann.post(&path(&id, "approve"), json!({})).await.refused(403, "forbidden");
    scene.approve(&id).await;
    let key = redeem(&scene.ann, &id).await;
    assert_eq!(key.shown["owner"]["team"]["id"], json!(team));
    assert_eq!(scene.deletes(&key).await, "valid");
    let in_its_name = scene.actions(&format!("actor={team}")).await;
    assert_eq!(in_its_name, ["approval.redeem", "approval.request"]);
}
