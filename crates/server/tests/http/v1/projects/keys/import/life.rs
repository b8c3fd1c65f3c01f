//! The life of an imported key: all that a native one's is.

use super::{TOKEN, bcrypt_of, code, import, item, sha256};
use crate::house::{House, Issued, merged, on_both_engines};
use serde_json::{Value, json};

on_both_engines! {
    an_imported_key_is_rotated_into_a_native_one_of_its_lineage,
    an_imported_key_mints_and_its_children_die_with_it,
    an_import_with_a_slow_digest_mints_at_its_first_use,
    a_token_that_two_organizations_imported_mints_for_neither,
    another_organizations_slow_digest_keeps_nobody_from_minting,
    imported_keys_are_exported_and_done_in_bulk,
    an_imported_keys_uses_are_its_own,
}

/// Imports a key by a digest of its token.
async fn one(house: &House, from: Value, key: Value) -> Issued {
    let key = merged(json!({"name": "Brought along", "environment": "production"}), key);
    let taken = import(house, vec![merged(from, json!({"key": key}))]).await;
    assert_eq!(taken[0]["outcome"], "imported", "{taken:?}");
    let id = taken[0]["id"].as_str().unwrap().to_owned();
    Issued { id, key: TOKEN.to_owned(), shown: Value::Null }
}

async fn an_imported_key_is_rotated_into_a_native_one_of_its_lineage(mut house: House) {
    let key = json!({"permissions": ["routes.read"], "credits": {"remaining": 10}, "tags": ["old"]});
    // It begins as a native one of another prefix would.
    let from = merged(sha256(TOKEN), json!({"prefix": "sk_live_51HabcDEFghi"}));
    let old = one(&house, from, key).await;
    for _ in 0..3 {
        assert_eq!(house.asker.bare(&old).await, "valid");
    }
    let new = house.admin.rotate(&old, json!({"grace_seconds": 60})).await;
    assert!(new.key.starts_with("registry_live_"), "it is one of ours");
    assert_eq!((&new.shown["replaces"], &new.shown["tags"]), (&json!(old.id), &json!(["old"])));
    for (key, expected) in [(&old, "valid"), (&new, "valid")] {
        assert_eq!(house.asker.code(key, json!({"permissions": "routes.read"})).await, expected);
    }
    house.restart().await;
    // Five are spent by both together.
    assert_eq!(house.admin.show(&new).await["credits"]["remaining"], 5);
    house.wait(60);
    let refused = house.asker.ask(TOKEN, json!({})).await;
    assert_eq!((&refused["code"], &refused["detail"]), (&json!("expired"), &json!("rotated")));
    assert_eq!(house.asker.bare(&new).await, "valid");
    let next = house.admin.rotate(&new, json!({})).await;
    assert_eq!(next.shown["replaces"], new.id.as_str());
}

async fn an_imported_key_mints_and_its_children_die_with_it(house: House) {
    let parent = one(&house, sha256(TOKEN), json!({"permissions": ["routes.read"]})).await;
    let holder = house.admin.with_key_unchecked(TOKEN);
    let minted = holder.post("/v1/keys/mint", json!({"uses": 5})).await.created();
    assert_eq!(minted["parent"], parent.id.as_str());
    let child = minted["key"].as_str().unwrap();
    assert!(child.starts_with("registry_live_"));
    assert_eq!(code(&house, child).await, "valid");
    let wider = holder.post("/v1/keys/mint", json!({"permissions": ["zones.read"]})).await;
    wider.refused(403, "forbidden");
    house.admin.revoke(&parent).await;
    assert_eq!(code(&house, child).await, "revoked");
    holder.post("/v1/keys/mint", json!({})).await.refused(401, "unauthenticated");
    let stranger = house.stranger.with_key_unchecked("no-such-token-0123456789");
    stranger.post("/v1/keys/mint", json!({})).await.refused(401, "unauthenticated");
}

async fn an_import_with_a_slow_digest_mints_at_its_first_use(house: House) {
    let parent = one(&house, bcrypt_of(TOKEN), json!({})).await;
    let holder = house.admin.with_key_unchecked(TOKEN);
    let minted = holder.post("/v1/keys/mint", json!({})).await.created();
    assert_eq!(minted["parent"], parent.id.as_str());
    assert_eq!(house.admin.audit(&format!("action=key.upgrade&target={}", parent.id)).await.len(), 1);
}

/// Whoever imports what another's key is must not be taken for its holder, nor the holder for theirs.
async fn a_token_that_two_organizations_imported_mints_for_neither(house: House) {
    one(&house, sha256(TOKEN), json!({})).await;
    let holder = house.admin.with_key_unchecked(TOKEN);
    holder.post("/v1/keys/mint", json!({})).await.created();
    house.other.post(super::IMPORT, json!({"items": [item(sha256(TOKEN))]})).await.ok();
    holder.post("/v1/keys/mint", json!({})).await.refused(401, "unauthenticated");
    assert_eq!(code(&house, TOKEN).await, "valid", "it opens what it opened");
}

/// Anybody may import a key that begins as another's do, and use up what may be tried against it.
async fn another_organizations_slow_digest_keeps_nobody_from_minting(house: House) {
    let theirs = vec![item(bcrypt_of("sk_live_51H-is-how-theirs-begins-too"))];
    house.other.post(super::IMPORT, json!({"items": theirs})).await.ok();
    for n in 0..30 {
        let guess = house.admin.with_key_unchecked(&format!("sk_live_51H{n}"));
        guess.post("/v1/keys/mint", json!({})).await.refused(401, "unauthenticated");
    }
    let ask = json!({"key": "sk_live_51H", "project": "registry", "environment": "production"});
    assert_eq!(house.other.post("/v1/verify", ask).await.ok()["code"], "unavailable", "it is used up");
    let slow = "sk_live_51H-has-a-slow-digest-here";
    import(&house, vec![item(sha256(TOKEN)), item(bcrypt_of(slow))]).await;
    for token in [TOKEN, slow] {
        house.admin.with_key_unchecked(token).post("/v1/keys/mint", json!({})).await.created();
    }
    // Of what nobody knows it is still not said that it is none.
    let unknown = house.admin.with_key_unchecked("sk_live_51H");
    unknown.post("/v1/keys/mint", json!({})).await.refused(503, "unavailable");
}

async fn imported_keys_are_exported_and_done_in_bulk(house: House) {
    let items = (0..3).map(|n| {
        let key = json!({"name": format!("Old {n}"), "environment": "production", "tags": ["old"]});
        merged(sha256(&format!("token-to-export-{n}")), json!({"key": key}))
    });
    import(&house, items.collect()).await;
    let export = house.admin.get("/v1/projects/registry/keys/export?tag=old").await.text;
    assert_eq!(export.lines().filter(|line| line.contains("\"key\"")).count(), 3);
    let bulk = async |body: Value| {
        let body = merged(json!({"filter": {"tag": "old"}, "expected_count": 3}), body);
        let done = house.admin.post("/v1/projects/registry/keys/bulk", body).await.ok();
        assert_eq!(done["done"], 3, "{done}");
    };
    let codes = async |expected: &str| {
        for n in 0..3 {
            assert_eq!(code(&house, &format!("token-to-export-{n}")).await, expected);
        }
    };
    codes("valid").await;
    let allow = json!({"networks": {"allow": ["192.0.2.0/24"]}});
    bulk(json!({"action": "update", "changes": {"restrictions": allow}})).await;
    codes("network_denied").await;
    bulk(json!({"action": "disable"})).await;
    codes("disabled").await;
    bulk(json!({"action": "enable"})).await;
    bulk(json!({"action": "update", "changes": {"restrictions": {}}})).await;
    codes("valid").await;
    bulk(json!({"action": "revoke", "reason": "All moved"})).await;
    codes("revoked").await;
}

async fn an_imported_keys_uses_are_its_own(mut house: House) {
    let key = one(&house, sha256(TOKEN), json!({"kind": "temporary", "uses": 2})).await;
    assert_eq!(house.asker.bare(&key).await, "valid");
    house.restart().await;
    assert_eq!(house.asker.bare(&key).await, "valid");
    assert_ne!(house.asker.bare(&key).await, "valid");
}
