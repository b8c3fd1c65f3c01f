//! No path leads around an approval: each way to a key, or to more of one, is tried.

use super::*;
use crate::house::on_both_engines;

on_both_engines! {
    neither_batch_nor_import_leads_around,
    neither_bulk_nor_narrowing_first_leads_around,
    a_longer_life_by_rotating_leads_not_around,
    a_role_that_keys_hold_leads_not_around,
    handing_over_leads_not_around,
    what_is_no_more_than_before_needs_none,
}

async fn neither_batch_nor_import_leads_around(house: House) {
    let scene = Scene::set(house).await;
    let batch = json!({"items": [wish(json!({"permissions": ["zones.read"]})), wish(json!({}))]});
    let refused = scene.admin.post(&format!("{KEYS}/batch"), batch.clone()).await;
    needs_approval(refused, &[(SENSITIVE.0, "/items/1/permissions/0")]);
    // What an approval does not lift is told as such.
    let rules =
        json!({"kinds_allowed": ["public"], "every_kind": {"approval": {"sensitive_permissions": true}}});
    scene.admin.put("/v1/projects/registry/guardrails", rules).await.ok();
    scene.admin.post(&format!("{KEYS}/batch"), batch).await.refused(422, "guardrail_violated");
    scene.admin.put("/v1/projects/registry/guardrails", json!({})).await.ok();
    let import = json!({"items": [{"key": wish(json!({})), "plain": "a-token-0123456789-abc"}]});
    let outcome = scene.admin.post(&format!("{KEYS}/import"), import).await.ok();
    assert_eq!(outcome["items"][0]["outcome"], "refused");
    assert_eq!(outcome["items"][0]["violations"][0]["guardrail"], SENSITIVE.0);
    let glass = json!({"break_glass": "In a hurry"});
    let batch = json!({"items": [wish(glass.clone())]});
    let refused = scene.admin.post(&format!("{KEYS}/batch"), batch).await;
    refused.wrong_field("invalid_field", "/items/0/break_glass");
    let import = json!({"items": [{"key": wish(glass), "plain": "a-token-0123456789-abc"}]});
    let outcome = scene.admin.post(&format!("{KEYS}/import"), import).await.ok();
    assert_eq!(outcome["items"][0]["field"], "/key/break_glass");
    assert_eq!(scene.admin.get(KEYS).await.ok()["items"], json!([]));
}

async fn neither_bulk_nor_narrowing_first_leads_around(house: House) {
    let scene = Scene::set(house).await;
    let id = scene.ask().await;
    scene.approve(&id).await;
    let key = redeem(&scene.ann, &id).await;
    // It may be narrowed, and is then as narrow as any other.
    scene.ann.patch(&key.path(), json!({"permissions": ["zones.read"]})).await.ok();
    let wider = json!({"permissions": ["zones.delete"]});
    needs_approval(scene.ann.patch(&key.path(), wider.clone()).await, &[SENSITIVE]);
    needs_approval(scene.admin.patch(&key.path(), json!({"permissions": ["zones.*"]})).await, &[SENSITIVE]);
    for changes in [wider.clone(), merged(wider, json!({"break_glass": "In a hurry"}))] {
        let bulk = json!({"action": "update", "filter": {}, "expected_count": 1, "changes": changes});
        let outcome = scene.admin.post(&format!("{KEYS}/bulk"), bulk).await.ok();
        assert_eq!((&outcome["done"], &outcome["refused"][0]["id"]), (&json!(0), &json!(key.id)));
    }
    assert_eq!(scene.deletes(&key).await, "insufficient_permissions");
    guard(&scene.admin, json!({"lifetime_over": "90d", "without_networks": true})).await;
    let short = json!({"expires_at": "2000-01-01T00:00:00Z"});
    scene.ann.patch(&key.path(), short).await.refused(422, "invalid_field");
    let narrow = json!({"restrictions": {"networks": {"allow": ["192.0.2.0/24"]}}});
    scene.ann.patch(&key.path(), narrow).await.ok();
    needs_approval(scene.ann.patch(&key.path(), json!({"restrictions": {}})).await, &[ANYWHERE]);
    let all = json!({"restrictions": {"networks": {"allow": ["0.0.0.0/0", "::/0"]}}});
    needs_approval(scene.ann.patch(&key.path(), all).await, &[ANYWHERE]);
}

async fn a_longer_life_by_rotating_leads_not_around(house: House) {
    let scene = Scene::set(house).await;
    guard(&scene.admin, json!({"lifetime_over": "90d"})).await;
    let now = scene.clock_now();
    let end =
        |days: i64| json!({"expires_at": (now + jiff::SignedDuration::from_hours(24 * days)).to_string()});
    let plain = |more: Value| merged(wish(json!({"permissions": ["zones.read"]})), more);
    let key = scene.ann.post(KEYS, plain(end(30))).await.created();
    let at = format!("/v1/keys/{}", id_of(&key));
    needs_approval(scene.ann.patch(&at, end(91)).await, &[LONG]);
    needs_approval(scene.ann.patch(&at, json!({"expires_at": null})).await, &[LONG]);
    needs_approval(scene.ann.post(&format!("{at}/rotate"), end(91)).await, &[LONG]);
    let bulk = json!({"action": "rotate", "filter": {}, "expected_count": 1, "rotation": end(91)});
    let outcome = scene.admin.post(&format!("{KEYS}/bulk"), bulk).await.ok();
    assert_eq!(outcome["done"], 0, "{outcome}");
    // Approved until a day, it is rotated until that day and no further.
    let ask = json!({"why": "x", "key": key["id"], "update": end(365)});
    let id = id_of(&scene.ann.post("/v1/approvals", ask).await.created());
    scene.approve(&id).await;
    scene.ann.poke(&path(&id, "redeem")).await.ok();
    needs_approval(scene.ann.post(&format!("{at}/rotate"), end(366)).await, &[LONG]);
    let rotated = scene.ann.post(&format!("{at}/rotate"), json!({})).await.created();
    assert_eq!(rotated["key"].as_str().unwrap().len(), key["key"].as_str().unwrap().len());
}

async fn a_role_that_keys_hold_leads_not_around(house: House) {
    let scene = Scene::set(house).await;
    let role = json!({"name": "keeper", "permissions": ["zones.read"]});
    scene.admin.post("/v1/projects/registry/roles", role).await.created();
    let path = "/v1/projects/registry/roles/keeper";
    let sensitive = json!({"permissions": ["zones.*"]});
    scene.admin.patch(path, sensitive.clone()).await.ok();
    needs_approval(
        scene.ann.post(KEYS, wish(json!({"permissions": [], "roles": ["keeper"]}))).await,
        &[(SENSITIVE.0, "/roles/0")],
    );
    scene.admin.patch(path, json!({"permissions": ["zones.read"]})).await.ok();
    scene.ann.post(KEYS, wish(json!({"permissions": [], "roles": ["keeper"]}))).await.created();
    let problem = scene.admin.patch(path, sensitive).await.refused(422, "guardrail_violated");
    assert!(problem["fix"].as_str().unwrap().contains("another"), "{problem}");
    scene.admin.patch(path, json!({"permissions": ["routes.read"]})).await.ok();
}

/// Another owner lets something else pass: what was approved was approved for one.
async fn handing_over_leads_not_around(house: House) {
    let scene = Scene::set(house).await;
    let id = id_of(&asked(&scene.bob, json!({"owner": "worker"})).await.created());
    scene.carol.post(&path(&id, "approve"), json!({})).await.ok();
    let key = redeem(&scene.bob, &id).await;
    scene.admin.post("/v1/projects/registry/service-accounts", json!({"name": "other"})).await.created();
    for to in [json!({"owner": "other"}), json!({"owner": scene.carol.id}), json!({"consumer": "customer-1"})]
    {
        needs_approval(scene.admin.patch(&key.path(), to).await, &[SENSITIVE]);
    }
    let ask = json!({"why": "x", "key": key.id, "update": {"owner": "other"}});
    let id = id_of(&scene.bob.post("/v1/approvals", ask).await.created());
    scene.carol.post(&path(&id, "approve"), json!({})).await.ok();
    let changed = scene.bob.poke(&path(&id, "redeem")).await.ok();
    assert_eq!(changed["owner"]["name"], "other");
    // What is given to a person is given by who may give it.
    let ask = json!({"why": "x", "key": key.id, "update": {"owner": scene.ann.id}});
    scene.bob.post("/v1/approvals", ask.clone()).await.refused(403, "forbidden");
    let id = id_of(&scene.carol.post("/v1/approvals", ask).await.created());
    scene.bob.post(&path(&id, "approve"), json!({})).await.refused(403, "forbidden");
}

async fn what_is_no_more_than_before_needs_none(house: House) {
    let scene = Scene::set(house).await;
    let id = scene.ask().await;
    scene.approve(&id).await;
    let key = redeem(&scene.ann, &id).await;
    scene.ann.patch(&key.path(), json!({"name": "Other", "tags": ["a"]})).await.ok();
    let off = scene.admin.turn(&key, "disable", None).await;
    assert_eq!(off["status"], "disabled");
    scene.admin.turn(&key, "enable", None).await;
    // A minted key does nothing that its parent may not, and dies with it.
    let minted = scene.admin.mint(&key, json!({})).await;
    assert_eq!(scene.deletes(&minted).await, "valid");
    let rotated = scene.ann.post(&format!("{}/rotate", key.path()), json!({})).await.created();
    assert_eq!(rotated["replaces"], json!(key.id));
    // What was there before the guardrail may stay, and be narrowed.
    guard(&scene.admin, json!({})).await;
    let old = json!({"permissions": ["zones.delete", "zones.read"]});
    let old = scene.ann.post(KEYS, wish(old)).await.created();
    guard(&scene.admin, json!({"sensitive_permissions": true})).await;
    let at = format!("/v1/keys/{}", id_of(&old));
    scene.ann.patch(&at, json!({"permissions": ["zones.delete"]})).await.ok();
    let report = scene.admin.get("/v1/projects/registry/guardrails/report").await.ok();
    let named: Vec<String> = report["items"].as_array().unwrap().iter().map(id_of).collect();
    assert!(named.contains(&id_of(&old)) && !named.contains(&key.id), "{named:?}");
}

impl Scene {
    fn clock_now(&self) -> jiff::Timestamp {
        use keystead_domain::time::Clock;
        self.clock.now().to_timestamp()
    }
}
