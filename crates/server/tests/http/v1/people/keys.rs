//! Keys of people: what they may do follows their owners, live.

use crate::house::{House, on_both_engines};
use serde_json::json;

on_both_engines! {
    a_person_makes_keys_of_their_own,
    a_key_in_a_teams_name_lives_with_the_membership,
    a_leavers_keys_stop_at_once_and_nothing_else_does,
    a_role_change_is_felt_on_the_next_request,
    what_a_person_may_do_survives_a_restart,
    the_secret_of_a_persons_key_is_theirs,
    what_an_administrator_switched_off_stays_off,
    a_key_is_handed_over_and_follows_its_new_owner,
    each_act_traces_to_one_person,
}

/// What a developer of the registry may do: make keys, and read and write routes with them.
fn developer() -> serde_json::Value {
    json!([{"permission": "keys.own"}, {"permission": "routes.*", "project": "registry"}])
}

async fn a_person_makes_keys_of_their_own(house: House) {
    let ann = house.admin.person("Ann", developer(), json!([])).await;
    let key = ann.make(json!({"permissions": ["routes.write"]})).await;
    assert_eq!(key.shown["owner"]["id"], ann.id);
    assert_eq!(key.shown["owner"]["kind"], "member");
    let asked = json!({"permissions": "routes.write"});
    assert_eq!(house.asker.code(&key, asked).await, "valid");
    // Nothing that they may not do, for nobody else, and nowhere else.
    let make = async |body| ann.post("/v1/projects/registry/keys", body).await;
    let key_of = |more| crate::house::merged(json!({"name": "Mine", "environment": "production"}), more);
    make(key_of(json!({"permissions": ["zones.read"]}))).await.refused(403, "forbidden");
    make(key_of(json!({"permissions": ["**"]}))).await.refused(403, "forbidden");
    make(key_of(json!({"owner": "worker"}))).await.refused(403, "forbidden");
    make(key_of(json!({"consumer": "customer-1"}))).await.refused(403, "forbidden");
    make(key_of(json!({"team": "nobodys"}))).await.wrong_field("unknown_name", "/team");
    let nobody = json!({"name": "x", "environment": "production", "permissions": ["**"]});
    ann.post("/v1/projects/keystead/keys", nobody).await.refused(403, "forbidden");
    // What is theirs they look after.
    assert_eq!(ann.get(&key.path()).await.ok()["id"], key.id);
    ann.post(&format!("{}/revoke", key.path()), json!({"reason": "Mine"})).await.ok();
    assert_eq!(house.asker.bare(&key).await, "revoked");
    let others = house.admin.issue(json!({})).await;
    ann.get(&others.path()).await.refused(403, "forbidden");
}

async fn a_key_in_a_teams_name_lives_with_the_membership(house: House) {
    let admin = &house.admin;
    let grants = json!([{"permission": "keys.own"}, {"role": "editor", "project": "registry"}]);
    admin.team("routing", grants).await;
    let ann = admin.person("Ann", json!([]), json!(["routing"])).await;
    let key = ann.make(json!({"team": "routing", "roles": ["editor"]})).await;
    assert_eq!(key.shown["owner"]["team"]["name"], "routing");
    let asked = json!({"permissions": "routes.write", "explain": true});
    assert_eq!(house.asker.ask(&key.key, asked.clone()).await["code"], "valid");
    admin.delete(&format!("/v1/teams/routing/members/{}", ann.id)).await.gone();
    let left = house.asker.ask(&key.key, asked.clone()).await;
    assert_eq!(left["code"], "disabled");
    assert!(left.to_string().contains("its owner Ann left team routing on 2026-01-01"), "{left}");
    // Who comes back has them again.
    admin.put(&format!("/v1/teams/routing/members/{}", ann.id), json!(null)).await.ok();
    assert_eq!(house.asker.ask(&key.key, asked.clone()).await["code"], "valid");
    admin.patch("/v1/teams/routing", json!({"grants": [{"permission": "keys.own"}]})).await.ok();
    let less = house.asker.ask(&key.key, asked).await;
    assert_eq!(less["code"], "insufficient_permissions");
    assert!(less.to_string().contains("its team routing"), "{less}");
}

async fn a_leavers_keys_stop_at_once_and_nothing_else_does(house: House) {
    let admin = &house.admin;
    admin.team("routing", developer()).await;
    let ann = admin.person("Ann", developer(), json!(["routing"])).await;
    let bob = admin.person("Bob", json!([]), json!(["routing"])).await;
    let own = ann.make(json!({"permissions": ["routes.read"]})).await;
    let teams = ann.make(json!({"team": "routing", "permissions": ["routes.read"]})).await;
    let bobs = bob.make(json!({"team": "routing", "permissions": ["routes.read"]})).await;
    let minted = admin.mint(&own, json!({"expires_in_seconds": 600})).await;
    admin.patch(&format!("/v1/members/{}", ann.id), json!({"disabled": true})).await.ok();
    for stopped in [&own, &teams, &minted] {
        assert_eq!(house.asker.bare(stopped).await, "disabled");
    }
    assert_eq!(house.asker.bare(&bobs).await, "valid");
    let stopped = ann.get("/v1/members/me").await.refused(401, "unauthenticated");
    assert_eq!(stopped["detail"], "The key cannot be used now: disabled.");
    let keys = admin.get(&format!("/v1/members/{}/keys", ann.id)).await.ok();
    let names: Vec<_> =
        keys["items"].as_array().unwrap().iter().map(|key| key["id"].as_str().unwrap()).collect();
    assert!(names.contains(&own.id.as_str()) && names.contains(&teams.id.as_str()), "{keys}");
    assert!(keys["items"].as_array().unwrap().iter().all(|key| key["status"] == "disabled"), "{keys}");
    admin.patch(&format!("/v1/members/{}", ann.id), json!({"disabled": false})).await.ok();
    assert_eq!(house.asker.bare(&teams).await, "valid");
}

async fn a_role_change_is_felt_on_the_next_request(house: House) {
    let grants = json!([{"permission": "keys.own"}, {"role": "editor", "project": "registry"}]);
    let ann = house.admin.person("Ann", grants, json!([])).await;
    let key = ann.make(json!({"permissions": ["routes.write"]})).await;
    let asked = json!({"permissions": "routes.write"});
    assert_eq!(house.asker.code(&key, asked.clone()).await, "valid");
    let change = json!({"permissions": ["routes.read"]});
    house.admin.patch("/v1/projects/registry/roles/editor", change).await.ok();
    assert_eq!(house.asker.code(&key, asked.clone()).await, "insufficient_permissions");
    let shown = house.admin.show(&key).await;
    assert!(shown.to_string().contains("may not do it"), "{shown}");
    let change = json!({"permissions": ["routes.*"]});
    house.admin.patch("/v1/projects/registry/roles/editor", change).await.ok();
    assert_eq!(house.asker.code(&key, asked).await, "valid");
}

async fn what_a_person_may_do_survives_a_restart(mut house: House) {
    house.admin.team("routing", developer()).await;
    let ann = house.admin.person("Ann", json!([]), json!(["routing"])).await;
    let bob = house.admin.person("Bob", developer(), json!(["routing"])).await;
    let [anns, bobs] = [
        ann.make(json!({"team": "routing", "permissions": ["routes.read"]})).await,
        bob.make(json!({"permissions": ["routes.read"]})).await,
    ];
    house.admin.delete(&format!("/v1/teams/routing/members/{}", bob.id)).await.gone();
    house.admin.patch(&format!("/v1/members/{}", ann.id), json!({"disabled": true})).await.ok();
    house.restart().await;
    assert_eq!(house.asker.bare(&anns).await, "disabled");
    assert_eq!(house.asker.bare(&bobs).await, "valid");
    house.admin.patch(&format!("/v1/members/{}", bob.id), json!({"grants": []})).await.ok();
    let asked = json!({"permissions": "routes.read", "explain": true});
    let lost = house.asker.ask(&bobs.key, asked).await;
    assert_eq!(lost["code"], "insufficient_permissions");
    assert!(lost.to_string().contains("its owner Bob left team routing on 2026-01-01"), "{lost}");
}

async fn the_secret_of_a_persons_key_is_theirs(house: House) {
    let ann = house.admin.person("Ann", developer(), json!([])).await;
    let key = ann.make(json!({"permissions": ["routes.read"]})).await;
    let rotate = format!("{}/rotate", key.path());
    house.admin.post(&rotate, json!({})).await.refused(403, "forbidden");
    let bulk = json!({"action": "rotate", "filter": {}, "expected_count": 1});
    let refused = house.admin.post("/v1/projects/registry/keys/bulk", bulk).await;
    assert!(!refused.text.contains("_live_"), "{}", refused.text);
    ann.post(&rotate, json!({})).await.created();
    // In nobody's name but one's own.
    let body = json!({"name": "x", "environment": "production", "owner": ann.id});
    house.admin.post("/v1/projects/registry/keys", body).await.wrong_field("unknown_name", "/owner");
}

async fn what_an_administrator_switched_off_stays_off(house: House) {
    let ann = house.admin.person("Ann", developer(), json!([])).await;
    let key = ann.make(json!({"permissions": ["routes.read"]})).await;
    house.admin.turn(&key, "disable", None).await;
    ann.poke(&format!("{}/enable", key.path())).await.refused(403, "forbidden");
    assert_eq!(house.asker.bare(&key).await, "disabled");
}

async fn a_key_is_handed_over_and_follows_its_new_owner(house: House) {
    let ann = house.admin.person("Ann", developer(), json!([])).await;
    let grants = json!([{"permission": "keys.own"}, {"permission": "routes.read", "project": "registry"}]);
    let bob = house.admin.person("Bob", grants, json!([])).await;
    let key = ann.make(json!({"permissions": ["routes.*"]})).await;
    // Nobody takes one, and nobody gives it away to more than they may issue for.
    bob.patch(&key.path(), json!({"owner": "me"})).await.refused(403, "forbidden");
    ann.patch(&key.path(), json!({"owner": bob.id})).await.refused(403, "forbidden");
    ann.patch(&key.path(), json!({"owner": "worker"})).await.refused(403, "forbidden");
    house.admin.patch(&format!("/v1/members/{}", ann.id), json!({"disabled": true})).await.ok();
    house.admin.patch(&key.path(), json!({"owner": bob.id})).await.ok();
    assert_eq!(house.asker.code(&key, json!({"permissions": "routes.read"})).await, "valid");
    let more = json!({"permissions": "routes.write"});
    assert_eq!(house.asker.code(&key, more).await, "insufficient_permissions");
}

async fn each_act_traces_to_one_person(house: House) {
    let team = house.admin.team("routing", developer()).await;
    let ann = house.admin.person("Ann", developer(), json!([])).await;
    let bob = house.admin.person("Bob", json!([]), json!(["routing"])).await;
    let anns = ann.make(json!({"permissions": ["routes.read"]})).await;
    let bobs = bob.make(json!({"team": "routing", "permissions": ["routes.read"]})).await;
    for (person, key) in [(&ann, &anns), (&bob, &bobs)] {
        let acts = house.admin.audit(&format!("actor={}", person.id)).await;
        assert_eq!(acts.len(), 1, "{acts:?}");
        assert_eq!(acts[0]["target"]["id"], key.id.as_str());
        assert_eq!(acts[0]["actor"]["member"], person.id);
    }
    assert!(house.admin.audit(&format!("actor={team}")).await.is_empty());
    house.admin.get("/v1/audit?actor=nobody").await.wrong_field("invalid_field", "/actor");
}
