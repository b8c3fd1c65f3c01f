//! `POST /v1/keys/mint`

use crate::house::{Answer, House, Issued, on_both_engines};
use serde_json::{Value, json};

on_both_engines! {
    a_minted_key_is_temporary_and_its_parents,
    a_private_key_may_mint_and_others_only_when_they_are_told,
    a_minted_key_cannot_mint,
    a_key_that_manages_cannot_mint_and_strangers_learn_nothing,
    nothing_wider_is_minted,
    a_minted_key_never_outlives_its_parent,
    what_the_parent_may_not_its_children_may_not,
    the_parents_restrictions_hold_too,
    the_parents_networks_hold_for_minting,
    revoking_the_parent_kills_its_children_on_the_next_request,
    whatever_stops_the_parent_stops_its_children,
    children_spend_what_the_parent_has_and_no_more_lessons_3,
    children_of_a_consumers_key_spend_its_consumers_limits,
    the_uses_of_a_minted_key_are_its_own_lessons_8,
    a_number_of_uses_is_not_multiplied_by_minting,
    what_is_the_parents_cannot_be_changed_on_a_child,
    a_child_is_stopped_alone,
    a_purged_parents_children_stay_dead,
    children_are_listed_by_their_parent,
    expired_children_are_purged,
    minting_is_on_record,
    many_are_minted_at_once,
}

async fn mint(house: &House, parent: &Issued, body: Value) -> Answer {
    house.admin.with_key(&parent.key).post("/v1/keys/mint", body).await
}

async fn codes<const N: usize>(house: &House, keys: [&Issued; N]) -> [String; N] {
    let mut codes = Vec::new();
    for key in keys {
        codes.push(house.asker.bare(key).await);
    }
    codes.try_into().unwrap()
}

async fn a_minted_key_is_temporary_and_its_parents(house: House) {
    let body = json!({"name": "Uploader", "permissions": ["routes.*"], "roles": ["editor"], "owner": "worker",
        "consumer": "customer-1", "restrictions": {"networks": {"allow": ["192.0.2.0/24"]}}});
    let parent = house.admin.issue(body).await;
    assert_eq!((&parent.shown["may_mint"], &parent.shown["parent"]), (&json!(true), &Value::Null));
    let child = house.admin.issue(json!({"restrictions": {"networks": {"allow": ["127.0.0.1"]}}})).await;
    let child = house.admin.mint(&child, json!({})).await;
    assert_eq!(child.shown["name"], "A key");
    let local = json!({"restrictions": {"networks": {"allow": ["127.0.0.0/8", "192.0.2.0/24"]}}});
    house.admin.change(&parent, local).await;
    let child = house.admin.mint(&parent, json!({"name": "One upload", "metadata": {"job": 7}})).await;
    for (field, value) in [
        ("name", json!("One upload")),
        ("kind", json!("temporary")),
        ("status", json!("active")),
        ("parent", json!(parent.id)),
        ("project", json!("registry")),
        ("environment", json!("production")),
        ("permissions", json!(["routes.*"])),
        ("roles", json!(["editor"])),
        ("restrictions", json!({})),
        ("limits", json!([])),
        ("may_mint", json!(false)),
        ("uses", Value::Null),
        ("expires_at", json!("2026-01-01T00:15:00Z")),
        ("metadata", json!({"job": 7})),
        ("created_by", json!(parent.id)),
        ("created_from", json!("127.0.0.1")),
    ] {
        assert_eq!(child.shown[field], value, "{field}");
    }
    for field in ["owner", "consumer"] {
        assert_eq!(child.shown[field], parent.shown[field], "{field}");
    }
    let request = json!({"ip": "192.0.2.9", "permissions": "routes.write"});
    let verdict = house.asker.ask(&child.key, request).await;
    assert_eq!((&verdict["code"], &verdict["kind"]), (&json!("valid"), &json!("temporary")));
    assert_eq!(verdict["permissions"], json!(["routes.read", "routes.write"]));
    assert_eq!(verdict["key_id"], child.id.as_str());
}

async fn a_private_key_may_mint_and_others_only_when_they_are_told(house: House) {
    let origins = json!({"origins": ["https://a.example"]});
    let partner = json!({"kind": "partner", "consumer": "customer-1", "expires_at": "2026-02-01T00:00:00Z"});
    for body in [json!({"kind": "public", "restrictions": origins}), json!({"kind": "temporary"}), partner] {
        let key = house.admin.issue(body).await;
        assert_eq!(key.shown["may_mint"], false);
        let refused = mint(&house, &key, json!({})).await.refused(403, "forbidden");
        assert!(refused["detail"].as_str().unwrap().contains("may_mint"), "{refused}");
        assert_eq!(house.admin.change(&key, json!({"may_mint": true})).await["may_mint"], true);
        house.admin.mint(&key, json!({})).await;
    }
    let never = house.admin.issue(json!({"may_mint": false})).await;
    mint(&house, &never, json!({})).await.refused(403, "forbidden");
    let no_more = house.admin.issue(json!({})).await;
    house.admin.mint(&no_more, json!({})).await;
    house.admin.change(&no_more, json!({"may_mint": false})).await;
    mint(&house, &no_more, json!({})).await.refused(403, "forbidden");
}

async fn a_minted_key_cannot_mint(mut house: House) {
    let parent = house.admin.issue(json!({})).await;
    let child = house.admin.mint(&parent, json!({})).await;
    for _ in 0..2 {
        mint(&house, &child, json!({})).await.refused(403, "forbidden");
        let refused = house.admin.patch(&child.path(), json!({"may_mint": true})).await;
        refused.wrong_field("invalid_field", "/may_mint");
        house.restart().await;
    }
}

async fn a_key_that_manages_cannot_mint_and_strangers_learn_nothing(house: House) {
    house.admin.post("/v1/keys/mint", json!({})).await.refused(403, "forbidden");
    let key = house.admin.issue(json!({})).await;
    house.stranger.post("/v1/keys/mint", json!({})).await.refused(401, "unauthenticated");
    let told = async |key: &str| {
        let mut problem = house
            .admin
            .with_key_unchecked(key)
            .post("/v1/keys/mint", json!({}))
            .await
            .refused(401, "unauthenticated");
        problem.as_object_mut().unwrap().remove("request_id");
        problem
    };
    assert_eq!(told(&house.unknown_key()).await, told(&house.others_secret(&key)).await);
    // A key that mints manages nothing.
    house.admin.with_key(&key.key).get("/v1/projects").await.refused(401, "unauthenticated");
}

async fn nothing_wider_is_minted(house: House) {
    let narrowed = json!({"permission": "zones.read", "resources": ["zones/1", "zones/2/**"]});
    let parent = house.admin.issue(json!({"permissions": ["routes.*", narrowed]})).await;
    let on = |resource: &str| json!({"permission": "zones.read", "resources": [resource]});
    for permission in
        [json!("networks.read"), json!("**"), json!("zones.read"), on("zones/3"), on("zones/**")]
    {
        let refused = mint(&house, &parent, json!({"permissions": [permission]})).await;
        refused.refused(403, "forbidden");
    }
    let unknown = mint(&house, &parent, json!({"permissions": ["routes.rea"]})).await;
    let unknown = unknown.wrong_field("unknown_name", "/permissions/0");
    assert!(
        !unknown.to_string().contains("routes.read"),
        "the catalogue is not a holder's to see: {unknown}"
    );
    let child = house.admin.mint(&parent, json!({"permissions": ["routes.read", on("zones/2/a")]})).await;
    let may = async |permission: &str, resource: &str| {
        house.asker.code(&child, json!({"permissions": permission, "resource": resource})).await
    };
    assert_eq!(may("routes.read", "x").await, "valid");
    assert_eq!(may("routes.write", "x").await, "insufficient_permissions");
    assert_eq!(may("zones.read", "zones/2/a").await, "valid");
    assert_eq!(may("zones.read", "zones/1").await, "insufficient_permissions");
    for (body, field) in [
        (json!({"expires_in_seconds": 0}), "/expires_in_seconds"),
        (json!({"expires_in_seconds": 86_401}), "/expires_in_seconds"),
        (json!({"uses": 0}), "/uses"),
        (json!({"name": ""}), "/name"),
        (json!({"restrictions": {"networks": {"allow": ["x"]}}}), "/restrictions/networks/allow/0"),
        (json!({"permissions": ["No Permission"]}), "/permissions/0"),
    ] {
        mint(&house, &parent, body).await.wrong_field("invalid_field", field);
    }
    mint(&house, &parent, json!({"limits": []})).await.refused(422, "invalid_field");
}

async fn a_minted_key_never_outlives_its_parent(house: House) {
    let parent = house.admin.issue(json!({"expires_at": "2026-01-01T00:01:00Z"})).await;
    let child = house.admin.mint(&parent, json!({"expires_in_seconds": 3_600})).await;
    assert_eq!(child.shown["expires_at"], "2026-01-01T00:01:00Z");
    let later = json!({"expires_at": "2026-01-01T05:00:00Z"});
    house.admin.change(&child, later.clone()).await;
    house.wait(60);
    assert_eq!(codes(&house, [&parent, &child]).await, ["expired", "expired"]);
    mint(&house, &parent, json!({})).await.refused(401, "unauthenticated");
    house.admin.change(&parent, later).await;
    assert_eq!(codes(&house, [&parent, &child]).await, ["valid", "valid"]);
}

async fn what_the_parent_may_not_its_children_may_not(house: House) {
    let parent = house.admin.issue(json!({"permissions": ["routes.read"], "roles": ["editor"]})).await;
    let child = house.admin.mint(&parent, json!({})).await;
    let code = async |permissions: Value| house.asker.code(&child, json!({"permissions": permissions})).await;
    assert_eq!(code(json!("routes.write")).await, "valid");
    let role = "/v1/projects/registry/roles/editor";
    house.admin.patch(role, json!({"permissions": ["zones.read"]})).await.ok();
    assert_eq!(code(json!("routes.write")).await, "insufficient_permissions");
    house.admin.change(&parent, json!({"permissions": ["networks.read"], "roles": []})).await;
    // Neither what only the child has, nor what only the parent has, nor the one for the other.
    for asked in
        [json!("routes.read"), json!("networks.read"), json!({"any": ["routes.read", "networks.read"]})]
    {
        assert_eq!(code(asked).await, "insufficient_permissions");
    }
    let verdict = house.asker.ask(&child.key, json!({})).await;
    assert_eq!(verdict["permissions"], json!([]));
    let explained = house.asker.ask(&child.key, json!({"permissions": "routes.read", "explain": true})).await;
    let why = explained["explanation"].to_string();
    assert!(why.contains(&format!("Of {}, from which the key was minted", parent.id)), "{why}");
    house.admin.change(&parent, json!({"permissions": ["routes.read", "networks.read"]})).await;
    assert_eq!(code(json!("routes.read")).await, "valid");
    assert_eq!(code(json!("networks.read")).await, "insufficient_permissions");
    // An administrator who gives a child more gives nothing.
    house.admin.change(&child, json!({"permissions": ["**"]})).await;
    assert_eq!(code(json!("networks.read")).await, "valid");
    assert_eq!(code(json!("zones.read")).await, "insufficient_permissions");
    let shown = house.admin.show(&child).await["effective_permissions"].clone();
    let lost: Vec<_> = shown.as_array().unwrap().iter().filter(|one| one["lost"].is_string()).collect();
    // Three names, one of them given twice.
    assert_eq!(lost.len(), 4, "{shown}");
}

async fn the_parents_restrictions_hold_too(house: House) {
    let parent = house
        .admin
        .issue(json!({"restrictions": {
            "origins": ["https://a.example", "https://b.example"],
            "endpoints": [{"methods": ["GET"], "path": "/v1/**"}],
        }}))
        .await;
    let own = json!({"restrictions": {"origins": ["https://b.example", "https://c.example"],
        "networks": {"allow": ["192.0.2.0/24"]}}});
    let child = house.admin.mint(&parent, own).await;
    let code = async |origin: &str, ip: &str, path: &str| {
        house.asker.code(&child, json!({"origin": origin, "ip": ip, "method": "GET", "path": path})).await
    };
    assert_eq!(code("https://b.example", "192.0.2.1", "/v1/x").await, "valid");
    assert_eq!(code("https://a.example", "192.0.2.1", "/v1/x").await, "origin_denied");
    assert_eq!(code("https://c.example", "192.0.2.1", "/v1/x").await, "origin_denied");
    assert_eq!(code("https://b.example", "198.51.100.1", "/v1/x").await, "network_denied");
    assert_eq!(code("https://b.example", "192.0.2.1", "/v2/x").await, "endpoint_denied");
    let request = json!({"origin": "https://c.example", "explain": true});
    let explained = house.asker.ask(&child.key, request).await;
    let failed: Vec<_> = explained["explanation"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|check| check["outcome"] == "failed")
        .map(|check| check["check"].as_str().unwrap())
        .collect();
    assert_eq!(
        (failed, &explained["code"]),
        (vec!["network", "parent origin", "parent endpoint"], &json!("network_denied"))
    );
}

async fn the_parents_networks_hold_for_minting(house: House) {
    let parent = house.admin.issue(json!({"restrictions": {"networks": {"allow": ["192.0.2.0/24"]}}})).await;
    let refused = mint(&house, &parent, json!({})).await.refused(403, "forbidden");
    assert!(refused["detail"].as_str().unwrap().contains("network_denied"), "{refused}");
    house.admin.change(&parent, json!({"restrictions": {"networks": {"allow": ["127.0.0.1"]}}})).await;
    house.admin.mint(&parent, json!({})).await;
}

/// LESSONS 1: what was revoked stayed valid for seconds.
async fn revoking_the_parent_kills_its_children_on_the_next_request(mut house: House) {
    let parent = house.admin.issue(json!({"limits": [{"name": "l", "limit": 1_000, "window": "1m"}]})).await;
    let (one, two) =
        (house.admin.mint(&parent, json!({})).await, house.admin.mint(&parent, json!({"uses": 9})).await);
    assert_eq!(codes(&house, [&one, &two]).await, ["valid", "valid"]);
    house.admin.revoke(&parent).await;
    for restarted in [false, true] {
        assert_eq!(codes(&house, [&one, &two]).await, ["revoked", "revoked"]);
        mint(&house, &parent, json!({})).await.refused(401, "unauthenticated");
        assert_eq!(house.admin.show(&one).await["status"], "revoked");
        let explained = house.asker.ask(&one.key, json!({"explain": true})).await;
        assert_eq!(explained["code"], "revoked");
        let why = explained["explanation"].to_string();
        assert!(
            why.contains(&format!("Of {}, from which the key was minted: The key was revoked", parent.id)),
            "{why}"
        );
        if !restarted {
            house.restart().await;
        }
    }
}

async fn whatever_stops_the_parent_stops_its_children(house: House) {
    let parent = house.admin.issue(json!({"owner": "worker", "consumer": "customer-1"})).await;
    let child = house.admin.mint(&parent, json!({})).await;
    for (turn, body, code) in [
        ("disable", None, "disabled"),
        ("suspend", Some(json!({"until": "2026-01-01T00:00:09Z"})), "suspended"),
    ] {
        house.admin.turn(&parent, turn, body).await;
        assert_eq!(codes(&house, [&parent, &child]).await, [code, code]);
        mint(&house, &parent, json!({})).await.refused(401, "unauthenticated");
        house.admin.turn(&parent, "enable", None).await;
        assert_eq!(house.asker.bare(&child).await, "valid");
    }
    house.admin.change(&parent, json!({"not_before": "2026-01-01T00:00:05Z"})).await;
    assert_eq!(house.asker.bare(&child).await, "not_yet_valid");
    house.wait(5);
    assert_eq!(house.asker.bare(&child).await, "valid");
    let consumer = format!("/v1/projects/registry/consumers/{}", house.acme.consumer);
    house.admin.patch(&consumer, json!({"disabled": true})).await.ok();
    assert_eq!(codes(&house, [&parent, &child]).await, ["disabled", "disabled"]);
}

/// LESSONS 3: counters follow the lineage: minting multiplies none of them.
async fn children_spend_what_the_parent_has_and_no_more_lessons_3(mut house: House) {
    let limits = json!([{"name": "l", "limit": 10, "window": "1h"}]);
    let parent = house.admin.issue(json!({"limits": limits})).await;
    let (one, two) = (house.admin.mint(&parent, json!({})).await, house.admin.mint(&parent, json!({})).await);
    let counts = house.asker.at_once(&[&one, &two, &parent], 45, 9).await;
    assert_eq!((counts["valid"], counts["rate_limited"]), (10, 35), "{counts:?}");
    let left = house.admin.show(&one).await["limit_status"][0]["remaining"].clone();
    assert_eq!(left, 0);

    let credits = json!({"credits": {"remaining": 60}, "quota": {"limit": 40, "per": "day"}});
    let parent = house.admin.issue(credits).await;
    let (one, two) = (house.admin.mint(&parent, json!({})).await, house.admin.mint(&parent, json!({})).await);
    let counts = house.asker.at_once(&[&one, &two, &parent], 60, 12).await;
    assert_eq!((counts["valid"], counts["quota_exceeded"]), (40, 20), "{counts:?}");
    house.restart().await;
    assert_eq!(house.admin.show(&parent).await["credits"]["remaining"], 20);
    // Changed rules of the parent hold for its children, and a child cannot change them.
    house.admin.change(&parent, json!({"quota": null})).await;
    let counts = house.asker.at_once(&[&one, &two, &parent], 30, 6).await;
    assert_eq!((counts["valid"], counts["credits_exhausted"]), (20, 10), "{counts:?}");
    house.admin.change(&parent, json!({"credits": {"remaining": 2}})).await;
    assert_eq!(codes(&house, [&one, &two, &one]).await, ["valid", "valid", "credits_exhausted"]);
}

async fn children_of_a_consumers_key_spend_its_consumers_limits(house: House) {
    let consumer = format!("/v1/projects/registry/consumers/{}", house.acme.consumer);
    house
        .admin
        .patch(&consumer, json!({"limits": [{"name": "plan", "limit": 3, "window": "1h"}]}))
        .await
        .ok();
    let parent = house.admin.issue(json!({"consumer": "customer-1"})).await;
    let child = house.admin.mint(&parent, json!({})).await;
    assert_eq!(
        codes(&house, [&child, &parent, &child, &child]).await,
        ["valid", "valid", "valid", "rate_limited"]
    );
}

/// LESSONS 8: a number of uses is never over-spent.
async fn the_uses_of_a_minted_key_are_its_own_lessons_8(mut house: House) {
    let parent = house.admin.issue(json!({"credits": {"remaining": 100}})).await;
    let once = house.admin.mint(&parent, json!({"uses": 1})).await;
    let counts = house.asker.at_once(&[&once], 16, 16).await;
    assert_eq!((counts["valid"], counts["credits_exhausted"]), (1, 15), "{counts:?}");
    let child = house.admin.mint(&parent, json!({"uses": 30})).await;
    for _ in 0..7 {
        assert_eq!(house.asker.bare(&child).await, "valid");
    }
    house.restart().await;
    assert_eq!(house.admin.show(&child).await["uses"], json!({"total": 30, "remaining": 23}));
    let counts = house.asker.at_once(&[&child, &parent], 60, 12).await;
    // The parent's own requests are no uses of the child.
    assert_eq!((counts["valid"], counts["credits_exhausted"]), (53, 7), "{counts:?}");
    house.restart().await;
    assert_eq!(house.admin.show(&parent).await["credits"]["remaining"], 100 - 1 - 7 - 53);
    assert_eq!(house.asker.bare(&child).await, "credits_exhausted");
}

async fn what_is_the_parents_cannot_be_changed_on_a_child(house: House) {
    let parent = house.admin.issue(json!({"credits": {"remaining": 10}})).await;
    let child = house.admin.mint(&parent, json!({})).await;
    for (field, value) in [
        ("owner", json!("worker")),
        ("consumer", json!("customer-1")),
        ("limits", json!([])),
        ("quota", json!({"limit": 1, "per": "day"})),
        ("credits", json!({"remaining": 1_000})),
    ] {
        let refused = house.admin.patch(&child.path(), json!({field: value})).await;
        refused.wrong_field("invalid_field", &format!("/{field}"));
    }
    house
        .admin
        .patch(&child.path(), json!({"expires_at": null}))
        .await
        .wrong_field("invalid_field", "/expires_at");
    house.admin.change(&child, json!({"name": "Renamed", "tags": ["a"], "metadata": {"a": 1}})).await;
    assert_eq!(house.admin.show(&parent).await["credits"]["remaining"], 10);
}

async fn a_child_is_stopped_alone(house: House) {
    let parent = house.admin.issue(json!({})).await;
    let (one, two) = (house.admin.mint(&parent, json!({})).await, house.admin.mint(&parent, json!({})).await);
    house.admin.revoke(&one).await;
    assert_eq!(codes(&house, [&one, &two, &parent]).await, ["revoked", "valid", "valid"]);
    house.admin.delete(&one.path()).await.gone();
    assert_eq!(codes(&house, [&one, &two, &parent]).await, ["not_found", "valid", "valid"]);
    house.wait(900);
    assert_eq!(codes(&house, [&two, &parent]).await, ["expired", "valid"]);
}

async fn a_purged_parents_children_stay_dead(mut house: House) {
    let parent = house.admin.issue(json!({"credits": {"remaining": 10}, "roles": ["editor"]})).await;
    let child = house.admin.mint(&parent, json!({"uses": 5})).await;
    assert_eq!(house.asker.bare(&child).await, "valid");
    house.admin.revoke(&parent).await;
    house.admin.delete(&parent.path()).await.gone();
    for _ in 0..2 {
        assert_eq!(house.asker.bare(&child).await, "revoked");
        let explained = house.asker.ask(&child.key, json!({"explain": true})).await;
        assert!(explained["explanation"].to_string().contains("was revoked and purged"), "{explained}");
        assert_eq!((&explained["permissions"], &explained["limits"]), (&json!([]), &json!([])));
        let shown = house.admin.show(&child).await;
        assert_eq!((&shown["status"], &shown["parent"]), (&json!("revoked"), &json!(parent.id)));
        house.restart().await;
    }
}

async fn children_are_listed_by_their_parent(house: House) {
    let (parent, other) = (house.admin.issue(json!({})).await, house.admin.issue(json!({})).await);
    let mut children = Vec::new();
    for _ in 0..3 {
        house.wait(1);
        children.push(house.admin.mint(&parent, json!({})).await.id);
    }
    house.admin.mint(&other, json!({})).await;
    let list = house.admin.get(&format!("/v1/projects/registry/keys?parent={}", parent.id)).await.ok();
    let found: Vec<_> =
        list["items"].as_array().unwrap().iter().rev().map(|key| key["id"].as_str().unwrap()).collect();
    assert_eq!(found, children);
    let counts =
        house.admin.get(&format!("/v1/projects/registry/keys/counts?parent={}", parent.id)).await.ok();
    assert_eq!(counts["total"], 3);
    let unknown = house.admin.get("/v1/projects/registry/keys?parent=nobody").await;
    unknown.wrong_field("invalid_field", "/parent");
}

async fn expired_children_are_purged(mut house: House) {
    let parent = house.admin.issue(json!({"credits": {"remaining": 10}})).await;
    let child = house.admin.mint(&parent, json!({"uses": 5, "expires_in_seconds": 60})).await;
    let young = house.admin.mint(&parent, json!({"expires_in_seconds": 3_600})).await;
    assert_eq!(house.asker.bare(&child).await, "valid");
    house.wait(60 + 86_400 + 1);
    assert_eq!(house.keystead.purge_temporary_keys().await.unwrap(), 1);
    assert_eq!(codes(&house, [&child, &young, &parent]).await, ["not_found", "expired", "valid"]);
    house.restart().await;
    // What the lineage has is the parent's still.
    assert_eq!(house.admin.show(&parent).await["credits"]["remaining"], 8);
    assert_eq!(codes(&house, [&child, &young, &parent]).await, ["not_found", "expired", "valid"]);
}

async fn minting_is_on_record(house: House) {
    let parent = house.admin.issue(json!({})).await;
    let child = house.admin.mint(&parent, json!({"uses": 2})).await;
    let acts = house.admin.audit(&format!("target={}", child.id)).await;
    assert_eq!(acts.len(), 1);
    assert_eq!((&acts[0]["action"], &acts[0]["actor"]["key_id"]), (&json!("key.mint"), &json!(parent.id)));
    assert_eq!((&acts[0]["address"], &acts[0]["after"]["parent"]), (&json!("127.0.0.1"), &json!(parent.id)));
    assert_eq!(acts[0]["after"]["uses"], json!({"total": 2, "remaining": 2}));
}

async fn many_are_minted_at_once(house: House) {
    let parent = house.admin.issue(json!({"permissions": ["zones.read"]})).await;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..24 {
        let (admin, parent) = (house.admin.clone(), parent.clone());
        tasks.spawn(async move { admin.mint(&parent, json!({})).await });
    }
    let children = tasks.join_all().await;
    let ids: std::collections::BTreeSet<_> = children.iter().map(|child| child.id.clone()).collect();
    assert_eq!(ids.len(), 24);
    for child in &children {
        assert_eq!(house.asker.code(child, json!({"permissions": "zones.read"})).await, "valid");
    }
    house.admin.revoke(&parent).await;
    for child in &children {
        assert_eq!(house.asker.bare(child).await, "revoked");
    }
}

async fn a_number_of_uses_is_not_multiplied_by_minting(house: House) {
    let keys = "/v1/projects/registry/keys";
    let mut body = json!({"name": "Once", "environment": "production", "kind": "temporary", "uses": 1});
    body["may_mint"] = json!(true);
    let refused = house.admin.post(keys, body).await.refused(422, "invalid_field");
    assert_eq!(refused["field"], "/may_mint");
    let once = house.admin.issue(json!({"kind": "temporary", "uses": 1})).await;
    let change = json!({"may_mint": true});
    house.admin.patch(&format!("/v1/keys/{}", once.id), change).await.refused(422, "invalid_field");
    mint(&house, &once, json!({})).await.refused(403, "forbidden");
}
