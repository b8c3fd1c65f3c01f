//! What the kinds of keys mean: `public`, `partner`, `temporary`

use crate::house::{Answer, House, Issued, on_both_engines};
use serde_json::{Value, json};

on_both_engines! {
    a_public_key_is_read_again_and_each_reading_is_on_record,
    only_a_public_key_is_read_again,
    a_public_key_is_always_narrowed_to_origins_or_endpoints,
    a_public_key_holds_only_what_is_public_safe,
    a_role_edited_later_gives_a_public_key_no_more,
    public_safe_is_not_taken_from_what_public_keys_hold,
    a_partners_key_always_has_a_consumer_and_an_end,
    a_temporary_key_lives_for_a_day_at_most,
    exactly_the_uses_pass_whatever_comes_at_once_lessons_8,
    uses_survive_restarts_edits_and_costs_lessons_8,
    only_temporary_keys_have_uses,
    expired_temporary_keys_are_purged_after_a_while_and_their_audit_stays,
    a_key_that_manages_is_never_public,
    keys_are_found_by_kind,
}

const KEYS: &str = "/v1/projects/registry/keys";

async fn create(house: &House, body: Value) -> Answer {
    let mut whole = json!({"name": "A key", "environment": "production"});
    whole.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
    house.admin.post(KEYS, whole).await
}

async fn mark_public_safe(house: &House, names: &[&str]) {
    for name in names {
        let path = format!("/v1/projects/registry/permissions/{name}");
        house.admin.patch(&path, json!({"public_safe": true})).await.ok();
    }
}

fn public(more: Value) -> Value {
    let mut body = json!({"kind": "public", "restrictions": {"origins": ["https://maps.example.com"]}});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

async fn at_maps(house: &House, key: &Issued, permission: &str) -> String {
    house.asker.code(key, json!({"origin": "https://maps.example.com", "permissions": permission})).await
}

async fn a_public_key_is_read_again_and_each_reading_is_on_record(mut house: House) {
    let key = house.admin.issue(public(json!({}))).await;
    assert_eq!(key.shown["kind"], "public");
    let reveal = format!("{}/reveal", key.path());
    for _ in 0..2 {
        let revealed = house.admin.poke(&reveal).await.ok();
        assert_eq!(revealed, json!({"id": key.id, "key": key.key}));
        house.restart().await;
    }
    let acts = house.admin.audit(&format!("action=key.reveal&target={}", key.id)).await;
    assert_eq!(acts.len(), 2);
    assert_eq!(acts[0]["target"]["name"], "A key");
    // It is sealed: the database does not hold it readable.
    let bytes = house.database_bytes();
    assert!(!bytes.windows(key.secret().len()).any(|window| window == key.secret().as_bytes()));
    let may_not = house.admin.issue_in("keystead", json!({"permissions": ["keys.verify"]})).await;
    house.admin.with_key(&may_not.key).poke(&reveal).await.refused(403, "forbidden");
    house.other.poke(&reveal).await.refused(404, "not_found");
    assert_eq!(house.admin.audit("action=key.reveal").await.len(), 2);
}

async fn only_a_public_key_is_read_again(house: House) {
    for body in [json!({}), json!({"kind": "temporary"})] {
        let key = house.admin.issue(body).await;
        house.admin.poke(&format!("{}/reveal", key.path())).await.refused(409, "conflict");
    }
    assert_eq!(house.admin.audit("action=key.reveal").await.len(), 0);
}

async fn a_public_key_is_always_narrowed_to_origins_or_endpoints(house: House) {
    for restrictions in [json!({}), json!({"networks": {"allow": ["192.0.2.0/24"]}}), json!({"origins": []})]
    {
        let body = json!({"kind": "public", "restrictions": restrictions});
        create(&house, body).await.wrong_field("invalid_field", "/restrictions");
    }
    let endpoint = json!({"endpoints": [{"methods": ["GET"], "path": "/v1/tiles/**"}]});
    let key = house.admin.issue(json!({"kind": "public", "restrictions": endpoint})).await;
    for change in [json!({"restrictions": {}}), json!({"restrictions": {"networks": {"allow": ["::1"]}}})] {
        house.admin.patch(&key.path(), change).await.wrong_field("invalid_field", "/restrictions");
    }
    let origins = json!({"restrictions": {"origins": ["https://a.example"]}});
    house.admin.change(&key, origins).await;
    house.admin.change(&key, json!({"name": "Renamed"})).await;
}

async fn a_public_key_holds_only_what_is_public_safe(house: House) {
    mark_public_safe(&house, &["zones.read"]).await;
    for (body, field) in [
        (json!({"permissions": ["zones.read", "routes.read"]}), "/permissions/1"),
        (json!({"permissions": ["**"]}), "/permissions/0"),
        (json!({"permissions": [{"permission": "routes.*", "resources": ["a"]}]}), "/permissions/0"),
        (json!({"permissions": ["zones.*"], "roles": ["editor"]}), "/roles/0"),
    ] {
        create(&house, public(body)).await.wrong_field("invalid_field", field);
    }
    let key = house.admin.issue(public(json!({"permissions": ["zones.*"]}))).await;
    for (change, field) in [
        (json!({"permissions": ["routes.read"]}), "/permissions/0"),
        (json!({"roles": ["editor"]}), "/roles/0"),
    ] {
        house.admin.patch(&key.path(), change).await.wrong_field("invalid_field", field);
    }
    assert_eq!(at_maps(&house, &key, "zones.read").await, "valid");
    assert_eq!(house.asker.code(&key, json!({"permissions": "zones.read"})).await, "origin_denied");
    // A permission that is catalogued later, and that the pattern matches.
    let later = json!({"name": "zones.write"});
    house.admin.post("/v1/projects/registry/permissions", later).await.created();
    assert_eq!(at_maps(&house, &key, "zones.write").await, "insufficient_permissions");
    let verdict = house.asker.ask(&key.key, json!({"origin": "https://maps.example.com"})).await;
    assert_eq!((&verdict["permissions"], &verdict["kind"]), (&json!(["zones.read"]), &json!("public")));
}

async fn a_role_edited_later_gives_a_public_key_no_more(house: House) {
    mark_public_safe(&house, &["zones.read"]).await;
    let role = json!({"name": "viewer", "permissions": ["zones.read"]});
    house.admin.post("/v1/projects/registry/roles", role).await.created();
    let key = house.admin.issue(public(json!({"roles": ["viewer"]}))).await;
    let wider = json!({"permissions": ["zones.read", "routes.write"]});
    house.admin.patch("/v1/projects/registry/roles/viewer", wider).await.ok();
    assert_eq!(at_maps(&house, &key, "zones.read").await, "valid");
    assert_eq!(at_maps(&house, &key, "routes.write").await, "insufficient_permissions");
    let effective = house.admin.show(&key).await["effective_permissions"].clone();
    let of = |name: &str| {
        effective.as_array().unwrap().iter().find(|one| one["permission"] == name).unwrap()["lost"].clone()
    };
    assert_eq!(of("zones.read"), Value::Null);
    assert!(of("routes.write").as_str().unwrap().contains("public_safe"), "{effective}");
    let request =
        json!({"origin": "https://maps.example.com", "permissions": "routes.write", "explain": true});
    let why = house.asker.ask(&key.key, request).await["explanation"].to_string();
    assert!(why.contains("routes.write is not public_safe"), "{why}");
}

async fn public_safe_is_not_taken_from_what_public_keys_hold(house: House) {
    mark_public_safe(&house, &["zones.read", "routes.read"]).await;
    let named = house.admin.issue(public(json!({"permissions": ["zones.read"]}))).await;
    let matched = house.admin.issue(public(json!({"permissions": ["routes.read", "zones.*"]}))).await;
    let take = async |name: &str| {
        house
            .admin
            .patch(&format!("/v1/projects/registry/permissions/{name}"), json!({"public_safe": false}))
            .await
    };
    let refused = take("zones.read").await.refused(409, "conflict");
    assert!(refused["detail"].as_str().unwrap().contains(": 1."), "{refused}");
    house.admin.change(&named, json!({"permissions": []})).await;
    // What is held by a pattern or a role goes with the mark, on the next request.
    take("zones.read").await.ok();
    assert_eq!(at_maps(&house, &matched, "zones.read").await, "insufficient_permissions");
    assert_eq!(at_maps(&house, &matched, "routes.read").await, "valid");
}

async fn a_partners_key_always_has_a_consumer_and_an_end(house: House) {
    let end = "2026-02-01T00:00:00Z";
    create(&house, json!({"kind": "partner", "expires_at": end}))
        .await
        .wrong_field("invalid_field", "/consumer");
    let endless = json!({"kind": "partner", "consumer": "customer-1"});
    create(&house, endless).await.wrong_field("invalid_field", "/expires_at");
    let key =
        house.admin.issue(json!({"kind": "partner", "consumer": "customer-1", "expires_at": end})).await;
    assert_eq!(house.asker.bare(&key).await, "valid");
    for field in ["consumer", "expires_at"] {
        let refused = house.admin.patch(&key.path(), json!({field: null})).await;
        refused.wrong_field("invalid_field", &format!("/{field}"));
    }
    house.admin.change(&key, json!({"expires_at": "2026-03-01T00:00:00Z", "name": "Partner"})).await;
}

async fn a_temporary_key_lives_for_a_day_at_most(house: House) {
    let key = house.admin.issue(json!({"kind": "temporary"})).await;
    assert_eq!(key.shown["expires_at"], "2026-01-02T00:00:00Z");
    let longer = json!({"kind": "temporary", "expires_at": "2026-01-02T00:00:01Z"});
    let too_long = [("lifetime_max", "built_in", "/expires_at")];
    create(&house, longer).await.guarded(&too_long);
    house.wait(3_600);
    let change = async |end: Value| house.admin.patch(&key.path(), json!({"expires_at": end})).await;
    change(json!("2026-01-02T00:00:01Z")).await.guarded(&too_long);
    change(Value::Null).await.wrong_field("invalid_field", "/expires_at");
    house.admin.change(&key, json!({"expires_at": "2026-01-01T02:00:00Z"})).await;
    assert_eq!(house.asker.bare(&key).await, "valid");
    house.wait(3_600);
    assert_eq!(house.asker.bare(&key).await, "expired");
}

/// LESSONS 8: a number of uses is never over-spent.
async fn exactly_the_uses_pass_whatever_comes_at_once_lessons_8(house: House) {
    for uses in [1, 47] {
        let key = house.admin.issue(json!({"kind": "temporary", "uses": uses})).await;
        assert_eq!(key.shown["uses"], json!({"total": uses, "remaining": uses}));
        let counts = house.asker.at_once(&[&key], 96, 24).await;
        assert_eq!((counts["valid"], counts["credits_exhausted"]), (uses, 96 - uses), "{counts:?}");
        assert_eq!(house.admin.show(&key).await["uses"], json!({"total": uses, "remaining": 0}));
    }
}

async fn uses_survive_restarts_edits_and_costs_lessons_8(mut house: House) {
    let body = json!({"kind": "temporary", "uses": 5, "credits": {"remaining": 1_000}});
    let key = house.admin.issue(body).await;
    let pass = async |house: &House, cost: u64, remaining: u64| {
        let verdict = house.asker.ask(&key.key, json!({"cost": cost})).await;
        assert_eq!((&verdict["code"], &verdict["uses_remaining"]), (&json!("valid"), &json!(remaining)));
    };
    // A use is a request, whatever it costs; what takes nothing is none.
    pass(&house, 100, 4).await;
    pass(&house, 0, 4).await;
    house.restart().await;
    pass(&house, 1, 3).await;
    house.admin.change(&key, json!({"name": "Renamed", "tags": ["x"]})).await;
    pass(&house, 1, 2).await;
    let explained = house.asker.ask(&key.key, json!({"explain": true})).await;
    let checks = explained["explanation"].as_array().unwrap().clone();
    assert!(checks.iter().any(|check| check["check"] == "uses of the key"), "{explained}");
    pass(&house, 1, 1).await;
    pass(&house, 1, 0).await;
    assert_eq!(house.asker.bare(&key).await, "credits_exhausted");
    house.restart().await;
    assert_eq!(house.asker.bare(&key).await, "credits_exhausted");
    // A refused request took nothing of what else it meets.
    assert_eq!(house.admin.show(&key).await["credits"]["remaining"], 1_000 - 100 - 4);
}

async fn only_temporary_keys_have_uses(house: House) {
    create(&house, json!({"uses": 5})).await.wrong_field("invalid_field", "/uses");
    for uses in [0_u64, 1_000_000_001] {
        let body = json!({"kind": "temporary", "uses": uses});
        create(&house, body).await.wrong_field("invalid_field", "/uses");
    }
}

async fn expired_temporary_keys_are_purged_after_a_while_and_their_audit_stays(house: House) {
    let temporary = json!({"kind": "temporary", "uses": 3, "expires_at": "2026-01-01T01:00:00Z"});
    let (key, other) = (
        house.admin.issue(temporary).await,
        house.admin.issue(json!({"expires_at": "2026-01-01T01:00:00Z"})).await,
    );
    house.wait(3_600 + 86_400);
    assert_eq!(house.keystead.purge_temporary_keys().await.unwrap(), 0);
    assert_eq!(house.asker.bare(&key).await, "expired");
    house.wait(1);
    assert_eq!(house.keystead.purge_temporary_keys().await.unwrap(), 1);
    assert_eq!(house.asker.bare(&key).await, "not_found");
    house.admin.get(&key.path()).await.refused(404, "not_found");
    assert_eq!(house.asker.bare(&other).await, "expired");
    assert_eq!(house.admin.audit(&format!("target={}", key.id)).await.len(), 1);
    let acts = house.admin.audit("action=key.purge").await;
    assert_eq!(
        (acts.len(), &acts[0]["after"], &acts[0]["actor"]["kind"]),
        (1, &json!({"purged": 1}), &json!("server"))
    );
    assert_eq!(house.keystead.purge_temporary_keys().await.unwrap(), 0);
}

async fn a_key_that_manages_is_never_public(house: House) {
    let manages = |more: Value| {
        let mut body = json!({"name": "A key", "environment": "production"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        house.admin.post("/v1/projects/keystead/keys", body)
    };
    manages(public(json!({}))).await.wrong_field("invalid_field", "/kind");
    manages(json!({"may_mint": true})).await.wrong_field("invalid_field", "/may_mint");
    let temporary = manages(json!({"kind": "temporary", "permissions": ["keys.read"]})).await.created();
    assert_eq!((&temporary["kind"], &temporary["may_mint"]), (&json!("temporary"), &json!(false)));
}

async fn keys_are_found_by_kind(house: House) {
    house.admin.issue(json!({})).await;
    let public = house.admin.issue(public(json!({}))).await;
    let found = house.admin.get(&format!("{KEYS}?kind=public")).await.ok();
    assert_eq!((found["items"].as_array().unwrap().len(), &found["items"][0]["id"]), (1, &json!(public.id)));
    let counts = house.admin.get(&format!("{KEYS}/counts?kind=partner")).await.ok();
    assert_eq!(counts["total"], 0);
}
