//! `POST /v1/projects/{project}/keys/import`

mod life;
mod told;

use crate::house::{House, merged, on_both_engines};
use aws_lc_rs::digest::{SHA256, SHA512, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

on_both_engines! {
    an_imported_key_works_everywhere_a_native_one_does,
    every_digest_is_understood_and_upgraded_at_first_use,
    a_slow_digest_is_checked_within_a_budget,
    a_longer_beginning_makes_room,
    what_has_ended_takes_no_room_from_what_lives,
    of_many_first_uses_at_once_all_pass,
    an_import_can_be_run_again,
    a_wrong_line_holds_up_no_other,
    a_dry_run_imports_nothing,
    what_is_easily_guessed_or_too_costly_is_refused,
    an_import_opens_nothing_elsewhere_lessons_25,
    an_unknown_token_is_still_recorded_lessons_5,
    management_keys_are_not_imported,
    what_guardrails_do_not_allow_is_refused_by_its_line,
    a_public_key_is_imported_in_the_clear_and_can_be_read_again,
    a_call_that_ends_leaves_nothing,
}

const IMPORT: &str = "/v1/projects/registry/keys/import";
const TOKEN: &str = "sk_live_51HabcDEFghiJKL9mnoPQR";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn sha256(token: &str) -> Value {
    json!({"hash": {"algorithm": "sha256", "value": hex(digest(&SHA256, token.as_bytes()).as_ref())}})
}

fn bcrypt_of(token: &str) -> Value {
    let value = bcrypt::hash_with_salt(token, 4, [7; 16]).unwrap().to_string();
    json!({"hash": {"algorithm": "bcrypt", "value": value}, "prefix": "sk_live_51H"})
}

fn item(with: Value) -> Value {
    merged(json!({"key": {"name": "Brought along", "environment": "production"}}), with)
}

async fn import(house: &House, items: Vec<Value>) -> Vec<Value> {
    let taken = house.admin.post(IMPORT, json!({"items": items})).await.ok();
    taken["items"].as_array().unwrap().clone()
}

async fn code(house: &House, token: &str) -> String {
    house.asker.ask(token, json!({})).await["code"].as_str().unwrap().to_owned()
}

async fn an_imported_key_works_everywhere_a_native_one_does(mut house: House) {
    let key = json!({"name": "Brought along", "environment": "production", "permissions": ["routes.read"],
        "limits": [{"name": "main", "limit": 3, "window": "1h"}], "metadata": {"plan": "gold"}});
    let taken =
        import(&house, vec![item(merged(sha256(TOKEN), json!({"key": key, "external_id": "old-1"})))]).await;
    assert_eq!(taken[0]["outcome"], "imported");
    let id = taken[0]["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/keys/{id}");
    let verdict =
        house.asker.ask(TOKEN, json!({"permissions": "routes.read", "include": ["metadata"]})).await;
    assert_eq!((&verdict["code"], &verdict["key_id"]), (&json!("valid"), &json!(id)));
    assert_eq!(
        (&verdict["metadata"]["plan"], &verdict["limits"][0]["remaining"]),
        (&json!("gold"), &json!(2))
    );
    assert_eq!(
        house.asker.ask(TOKEN, json!({"permissions": "zones.read"})).await["code"],
        "insufficient_permissions"
    );
    let explained = house.asker.ask(TOKEN, json!({"explain": true})).await;
    assert_eq!(explained["explanation"][2]["outcome"], "passed");
    let who = house.admin.post("/v1/whoami", json!({"key": TOKEN})).await.ok();
    assert_eq!((&who["id"], &who["start"]), (&json!(id), &json!("imported")));
    house.restart().await;
    assert_eq!(code(&house, TOKEN).await, "valid");
    house.admin.patch(&path, json!({"name": "Renamed"})).await.ok();
    house.admin.poke(&format!("{path}/disable")).await.ok();
    assert_eq!(code(&house, TOKEN).await, "disabled");
    house.admin.poke(&format!("{path}/enable")).await.ok();
    assert_eq!(code(&house, TOKEN).await, "valid");
    house.admin.post(&format!("{path}/revoke"), json!({"reason": "Moved"})).await.ok();
    assert_eq!(code(&house, TOKEN).await, "revoked");
    house.admin.delete(&path).await.gone();
    assert_eq!(code(&house, TOKEN).await, "malformed");
    let acts = house.admin.audit(&format!("target={id}")).await;
    for action in ["key.import", "key.upgrade"] {
        assert_eq!(acts.iter().filter(|act| act["action"] == action).count(), 1, "{action}");
    }
}

async fn every_digest_is_understood_and_upgraded_at_first_use(mut house: House) {
    let tokens: Vec<String> = (0..6).map(|n| format!("sk_live_{n}HabcDEFghiJKL9mno")).collect();
    let sha512 = digest(&SHA512, tokens[1].as_bytes());
    let argon2 = {
        use argon2::password_hash::PasswordHasher;
        let cheap = argon2::Argon2::from(argon2::Params::new(8, 1, 1, None).unwrap());
        cheap.hash_password_with_salt(tokens[4].as_bytes(), b"sixteen bytes ok").unwrap().to_string()
    };
    let taken = import(&house, vec![
        item(sha256(&tokens[0])),
        item(json!({"hash": {"algorithm": "sha512", "value": hex(sha512.as_ref())}})),
        item(json!({"hash": {"algorithm": "sha256", "value": STANDARD.encode(digest(&SHA256, tokens[2].as_bytes()))}})),
        item(merged(bcrypt_of(&tokens[3]), json!({"prefix": "sk_live_3H"}))),
        item(json!({"hash": {"algorithm": "argon2id", "value": argon2}, "prefix": "sk_live_4H"})),
        item(json!({"plain": tokens[5], "prefix": "sk_live"})),
    ]).await;
    assert!(taken.iter().all(|one| one["outcome"] == "imported"), "{taken:?}");
    for round in 0..2 {
        for token in &tokens {
            assert_eq!(code(&house, token).await, "valid", "{round}");
            assert_eq!(code(&house, &format!("{token}x")).await, "malformed", "{round}");
        }
        // A stop upgrades what was used.
        house.restart().await;
    }
    for (one, upgraded) in taken.iter().zip([1, 1, 1, 1, 1, 0]) {
        let acts =
            house.admin.audit(&format!("action=key.upgrade&target={}", one["id"].as_str().unwrap())).await;
        assert_eq!(acts.len(), upgraded, "{one}");
    }
}

async fn a_slow_digest_is_checked_within_a_budget(house: House) {
    import(&house, vec![item(bcrypt_of(TOKEN))]).await;
    for n in 0..30 {
        assert_eq!(code(&house, &format!("sk_live_51H{n}")).await, "malformed");
    }
    assert_eq!(code(&house, TOKEN).await, "unavailable");
    assert_eq!(code(&house, "sk_live_52H").await, "malformed", "it begins otherwise");
    house.wait(60);
    assert_eq!(code(&house, TOKEN).await, "valid");
    for n in 0..40 {
        assert_eq!(code(&house, &format!("sk_live_51H{n}")).await, "malformed");
    }
    assert_eq!(code(&house, TOKEN).await, "valid", "what was used once is found at once");
}

/// As the refusal of a fifth one that begins so says.
async fn a_longer_beginning_makes_room(house: House) {
    let short = |n| item(merged(bcrypt_of(&format!("{TOKEN}{n}")), json!({"prefix": "sk_live"})));
    let taken = import(&house, (0..5).map(short).collect()).await;
    assert_eq!(taken[4]["field"], "/prefix");
    import(&house, vec![item(bcrypt_of(TOKEN))]).await;
    assert_eq!(code(&house, TOKEN).await, "valid");
}

async fn what_has_ended_takes_no_room_from_what_lives(house: House) {
    let ended = import(&house, (0..4).map(|n| item(bcrypt_of(&format!("{TOKEN}{n}")))).collect()).await;
    for one in &ended {
        let path = format!("/v1/keys/{}/revoke", one["id"].as_str().unwrap());
        house.admin.post(&path, json!({"reason": "Moved"})).await.ok();
    }
    import(&house, vec![item(merged(bcrypt_of(TOKEN), json!({"prefix": "sk_live"})))]).await;
    assert_eq!(code(&house, TOKEN).await, "valid");
    assert_eq!(code(&house, &format!("{TOKEN}0")).await, "revoked");
}

async fn of_many_first_uses_at_once_all_pass(house: House) {
    let taken = import(&house, vec![item(bcrypt_of(TOKEN))]).await;
    let asks = (0..60).map(|_| code(&house, TOKEN));
    for code in futures_util::future::join_all(asks).await {
        assert_eq!(code, "valid");
    }
    let id = taken[0]["id"].as_str().unwrap();
    assert_eq!(house.admin.audit(&format!("action=key.upgrade&target={id}")).await.len(), 1);
}

async fn an_import_can_be_run_again(mut house: House) {
    let slow = "sk_live_51Hxyz";
    let items = || {
        vec![
            item(merged(sha256(TOKEN), json!({"external_id": "old-1"}))),
            item(sha256("another-token-0123456789")),
            item(bcrypt_of(slow)),
            item(json!({"plain": "a-plain-token-0123456789"})),
        ]
    };
    // It stopped after the first two.
    import(&house, items().drain(..2).collect()).await;
    let first = import(&house, items()).await;
    let outcomes: Vec<_> = first.iter().map(|one| one["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["exists", "exists", "imported", "imported"]);
    // What was used is found in another way since; it is known for what it was all the same.
    for token in [TOKEN, "another-token-0123456789", slow] {
        assert_eq!(code(&house, token).await, "valid");
    }
    house.restart().await;
    let acts = house.admin.audit("").await.len();
    let second = import(&house, items()).await;
    for (before, now) in first.iter().zip(&second) {
        assert_eq!((&now["outcome"], &now["id"]), (&json!("exists"), &before["id"]));
    }
    assert_eq!(house.admin.audit("").await.len(), acts);
    // By itself what was imported by its digest is the same.
    let plain = import(&house, vec![item(json!({"plain": "another-token-0123456789"}))]).await;
    assert_eq!((&plain[0]["outcome"], &plain[0]["id"]), (&json!("exists"), &first[1]["id"]));
    assert_eq!(house.admin.get("/v1/projects/registry/keys/counts").await.ok()["total"], 4);
}

async fn a_wrong_line_holds_up_no_other(house: House) {
    let wrong = |with: Value| item(merged(sha256(TOKEN), with));
    let key = |with: Value| json!({"key": merged(json!({"name": "A", "environment": "production"}), with)});
    let taken = import(&house, vec![
        wrong(key(json!({"environment": "nowhere"}))),
        wrong(key(json!({"name": ""}))),
        wrong(key(json!({"roles": ["nobody"]}))),
        item(json!({"hash": {"algorithm": "sha256", "value": "abc"}})),
        item(json!({})),
        item(merged(sha256(TOKEN), json!({"plain": "another-token-0123456789"}))),
        item(json!({"hash": {"algorithm": "bcrypt", "value": "$2b$04$abcdefghijklmnopqrstuu5Lo0g67CiD3M4RpN1BmBb4Crp5w7dbK"}})),
        item(sha256(TOKEN)),
    ]).await;
    let fields: Vec<_> = taken.iter().map(|one| one["field"].as_str()).collect();
    assert_eq!(
        fields,
        [
            Some("/key/environment"),
            Some("/key/name"),
            Some("/key/roles/0"),
            Some("/hash/value"),
            Some("/hash"),
            Some("/hash"),
            Some("/prefix"),
            None,
        ]
    );
    assert_eq!(taken[7]["outcome"], "imported");
    assert_eq!(code(&house, TOKEN).await, "valid");
    house.admin.post(IMPORT, json!({"items": []})).await.wrong_field("invalid_field", "/items");
}

async fn a_dry_run_imports_nothing(house: House) {
    let acts = house.admin.audit("").await.len();
    let body = json!({"items": [item(sha256(TOKEN)), item(json!({}))], "dry_run": true});
    let told = house.admin.post(IMPORT, body).await.ok();
    assert_eq!((&told["items"][0]["outcome"], &told["items"][0]["id"]), (&json!("imported"), &Value::Null));
    assert_eq!(told["items"][1]["outcome"], "refused");
    assert_eq!(code(&house, TOKEN).await, "malformed");
    assert_eq!(house.admin.audit("").await.len(), acts);
}

async fn what_is_easily_guessed_or_too_costly_is_refused(house: House) {
    let costly = "$2b$15$abcdefghijklmnopqrstuu5Lo0g67CiD3M4RpN1BmBb4Crp5w7dbK";
    let long = "a1b2c3d4e5".repeat(60);
    let mut items = vec![
        item(json!({"plain": "password123"})),
        item(json!({"plain": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaa"})),
        item(json!({"plain": long})),
        item(json!({"plain": TOKEN, "prefix": &TOKEN[..20]})),
        item(json!({"hash": {"algorithm": "bcrypt", "value": costly}, "prefix": "sk_live"})),
    ];
    // Each of those that begin alike costs a computation for every token that begins so.
    items.extend((0..5).map(|n| item(bcrypt_of(&format!("sk_live_51H{n}")))));
    let taken = import(&house, items).await;
    let fields: Vec<_> = taken.iter().map(|one| one["field"].as_str()).collect();
    let (refused, allowed) = fields.split_at(5);
    assert_eq!(
        refused,
        [Some("/plain"), Some("/plain"), Some("/plain"), Some("/prefix"), Some("/hash/value")]
    );
    assert_eq!(allowed, [None, None, None, None, Some("/prefix")]);
}

/// LESSONS 25: cross-tenant handles worked. Whoever knows a digest gains nothing with it elsewhere.
async fn an_import_opens_nothing_elsewhere_lessons_25(house: House) {
    import(&house, vec![item(sha256(TOKEN))]).await;
    let theirs = json!({"items": [item(sha256(TOKEN))]});
    let taken = house.other.post(IMPORT, theirs).await.ok();
    assert_eq!(taken["items"][0]["outcome"], "imported", "another tenant's import is not told");
    let ask = json!({"key": TOKEN, "project": "registry", "environment": "production"});
    let id = house.other.post("/v1/verify", ask).await.ok()["key_id"].clone();
    assert_eq!(id, taken["items"][0]["id"]);
    assert_ne!(house.asker.ask(TOKEN, json!({})).await["key_id"], id);
    let development = house.admin.make_asker("registry", "development").await;
    assert_eq!(development.ask(TOKEN, json!({})).await["code"], "not_found");
    house.stranger.with_key_unchecked(TOKEN).get("/v1/projects").await.refused(401, "unauthenticated");
    let reader = house.admin.issue_in("keystead", json!({"permissions": ["keys.read"]})).await;
    let refused =
        house.admin.with_key(&reader.key).post(IMPORT, json!({"items": [item(sha256(TOKEN))]})).await;
    refused.refused(403, "forbidden");
}

/// LESSONS 5: requests with unknown keys never reached analytics.
async fn an_unknown_token_is_still_recorded_lessons_5(mut house: House) {
    import(&house, vec![item(sha256(TOKEN))]).await;
    assert_eq!(code(&house, "no-such-token-0123456789").await, "malformed");
    assert_eq!(code(&house, &"x".repeat(600)).await, "malformed");
    house.restart().await;
    let unknown = house.admin.get("/v1/projects/registry/unknown-keys").await.ok();
    assert_eq!(unknown["items"][0]["count"], 2);
}

async fn management_keys_are_not_imported(house: House) {
    let body = json!({"items": [item(sha256(TOKEN))]});
    house.admin.post("/v1/projects/keystead/keys/import", body).await.refused(409, "conflict");
}

async fn what_guardrails_do_not_allow_is_refused_by_its_line(house: House) {
    let rules = json!({"prefixes_allowed": ["acme"], "every_kind": {"expiry_required": true, "limits_required": true}});
    house.admin.put("/v1/projects/registry/guardrails", rules).await.ok();
    let allowed = json!({"name": "Allowed", "environment": "production", "expires_at": "2027-01-01T00:00:00Z",
        "limits": [{"name": "main", "limit": 3, "window": "1h"}]});
    let taken =
        import(&house, vec![item(sha256(TOKEN)), merged(sha256(TOKEN), json!({"key": allowed}))]).await;
    assert_eq!(taken[0]["outcome"], "refused");
    let names: Vec<_> = taken[0]["violations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["guardrail"].as_str().unwrap(), one["field"].as_str().unwrap()))
        .collect();
    assert_eq!(names, [("expiry_required", "/key/expires_at"), ("limits_required", "/key/limits")]);
    assert!(taken[0]["detail"].as_str().unwrap().len() > 10 && taken[0]["fix"].as_str().unwrap().len() > 10);
    // How others let their tokens begin is not the project's prefix.
    assert_eq!(taken[1]["outcome"], "imported");
    assert_eq!(code(&house, TOKEN).await, "valid");
}

async fn a_public_key_is_imported_in_the_clear_and_can_be_read_again(mut house: House) {
    let key = json!({"name": "Map", "environment": "production", "kind": "public",
        "restrictions": {"origins": ["https://a.example"]}});
    let with = |from: Value| merged(json!({"key": key}), from);
    let taken = import(&house, vec![with(sha256(TOKEN)), with(json!({"plain": TOKEN}))]).await;
    assert_eq!((&taken[0]["outcome"], &taken[0]["field"]), (&json!("refused"), &json!("/hash")));
    let path = format!("/v1/keys/{}/reveal", taken[1]["id"].as_str().unwrap());
    house.restart().await;
    assert_eq!(house.admin.poke(&path).await.ok()["key"], TOKEN);
    let verdict = house.asker.ask(TOKEN, json!({"origin": "https://a.example"})).await;
    assert_eq!((&verdict["code"], &verdict["kind"]), (&json!("valid"), &json!("public")));
}

/// Of calls at once that import the same, one takes all of it, and none leaves a part.
async fn a_call_that_ends_leaves_nothing(house: House) {
    let items: Vec<Value> = (0..20).map(|n| item(sha256(&format!("token-of-both-{n:04}")))).collect();
    let body = json!({"items": items});
    let calls = [0; 4].map(|_| house.admin.post(IMPORT, body.clone()));
    for answer in futures_util::future::join_all(calls).await {
        assert!([200, 409].contains(&answer.status.as_u16()), "{}", answer.text);
    }
    house.admin.post(IMPORT, body).await.ok();
    assert_eq!(house.admin.get("/v1/projects/registry/keys/counts").await.ok()["total"], 20);
    assert_eq!(house.admin.audit("action=key.import").await.len(), 20);
}
