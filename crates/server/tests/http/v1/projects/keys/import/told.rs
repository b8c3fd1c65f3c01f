//! What an import holds is nowhere afterwards.

use super::{IMPORT, bcrypt_of, code, hex, import, item, sha256};
use crate::house::{House, LOG, on_both_engines};
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

on_both_engines! {
    no_token_and_no_digest_is_told_or_stored_lessons_32,
}

const PLAIN: &str = "CANARY-plain-0123456789abc";
const SLOW: &str = "sk_live_51H-canary-of-a-slow-one";
const HASHED: &str = "canary-of-a-hashed-one-999888777";
const NEVER: &str = "canary-that-was-never-imported-4711";

/// Sends them where they belong, and where they do not.
async fn live(house: &House, bcrypt: &Value) -> String {
    let taken = import(
        house,
        vec![
            item(bcrypt.clone()),
            item(json!({"plain": PLAIN, "external_id": "old-1"})),
            item(sha256(HASHED)),
        ],
    )
    .await;
    let again = import(house, vec![item(sha256(HASHED)), item(json!({"plain": PLAIN}))]).await;
    let slow = bcrypt["hash"]["value"].as_str().unwrap();
    let hash = |algorithm: &str, value: &str| json!({"hash": {"algorithm": algorithm, "value": value}});
    let wrong = import(
        house,
        vec![
            item(hash("sha256", NEVER)),
            item(hash("sha512", &hex(digest(&SHA256, NEVER.as_bytes()).as_ref()))),
            item(hash("argon2id", slow)),
            item(json!({"plain": format!("{NEVER} "), "prefix": NEVER})),
            item(json!({"plain": NEVER, "prefix": "other-beginning"})),
            item(json!({"plain": NEVER, "hash": {"algorithm": "bcrypt", "value": slow}})),
            item(json!({"plain": NEVER, "key": {"name": "A", "environment": NEVER}})),
            item(json!({"plain": NEVER, "external_id": "\n"})),
        ],
    )
    .await;
    assert!(wrong.iter().all(|one| one["outcome"] == "refused"), "{wrong:?}");
    let mut told = json!([taken, again, wrong]).to_string();
    for body in [
        json!({"items": [{"plain": NEVER, NEVER: 1}]}),
        json!({"items": [{"plain": [NEVER], "key": {}}]}),
        json!({"items": [{"hash": {"algorithm": NEVER, "value": slow}, "key": {}}]}),
    ] {
        let answer = house.admin.post(IMPORT, body).await;
        assert_eq!(answer.status, 422, "{}", answer.text);
        told += &answer.text;
    }
    for token in [PLAIN, SLOW, HASHED] {
        assert_eq!(code(house, token).await, "valid");
        told += &house.asker.ask(token, json!({"explain": true})).await.to_string();
        told += &house.admin.post("/v1/whoami", json!({"key": token})).await.text;
        told += &house.admin.with_key_unchecked(token).get("/v1/projects").await.text;
    }
    code(house, NEVER).await;
    told
}

async fn no_token_and_no_digest_is_told_or_stored_lessons_32(mut house: House) {
    let bcrypt = bcrypt_of(SLOW);
    let mut told = live(&house, &bcrypt).await;
    house.restart().await;
    for path in [
        "/v1/audit?limit=1000",
        "/v1/projects/registry/keys?limit=1000",
        "/v1/projects/registry/keys/export",
        "/v1/projects/registry/unknown-keys",
    ] {
        told += &house.admin.get(path).await.text;
    }
    told += &house.stranger.get("/metrics").await.text;
    assert!(told.contains("key.import") && told.contains("key.upgrade"));
    house.stop().await;
    let digests = [PLAIN, SLOW, HASHED, NEVER].map(|token| digest(&SHA256, token.as_bytes()));
    let mut hidden: Vec<Vec<u8>> = [PLAIN, SLOW, HASHED, NEVER].map(|token| token.as_bytes().to_vec()).into();
    hidden.push(bcrypt["hash"]["value"].as_str().unwrap().as_bytes().to_vec());
    for digest in &digests {
        let forms = [digest.as_ref().to_vec(), hex(digest.as_ref()).into(), STANDARD.encode(digest).into()];
        hidden.extend(forms);
    }
    let found = |bytes: &[u8], part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
    let (log, database) = (LOG.lock().clone(), house.database_bytes());
    for part in &hidden {
        for (place, bytes) in [("answers", told.as_bytes()), ("log", &log), ("database", &database)] {
            assert!(!found(bytes, part), "{} is in the {place}", String::from_utf8_lossy(part));
        }
    }
    if house.is_on_sqlite() {
        assert!(found(&database, b"old-1"), "the search finds nothing: it proves nothing");
    }
}
