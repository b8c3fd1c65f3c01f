//! LESSONS 32: a secret that is shown once is nowhere afterwards, in whatever is written or told.

use crate::house::{House, Issued, LOG, on_both_engines};
use crate::v1::approvals::ready_for;
use http::Method;
use serde_json::json;

on_both_engines! {
    no_canary_anywhere,
}

/// What a key's metadata holds: told by the API to those who may see the key, and never logged or counted.
const METADATA: &str = "canary-of-the-metadata-5d1f";

/// Uses everything that a key passes through.
async fn live(house: &House) -> Vec<Issued> {
    let admin = &house.admin;
    let mut keys = vec![
        admin.issue(json!({"metadata": {"note": METADATA}, "tags": ["web"], "consumer": "customer-1"})).await,
        admin.issue(json!({"credits": {"remaining": 10}, "quota": {"limit": 10, "per": "day"}})).await,
        admin.issue(json!({"restrictions": {"networks": {"allow": ["192.0.2.0/24"]}}})).await,
        admin.issue_in("keystead", json!({"permissions": ["keys.*"]})).await,
    ];
    for key in &keys {
        let request = json!({"ip": "198.51.100.1", "user_agent": "curl/8", "method": "GET", "path": "/v1/zones",
            "permissions": "zones.read", "include": ["metadata"], "tags": ["web"]});
        house.asker.ask(&key.key, request.clone()).await;
        house.asker.ask(&key.key, json!({"explain": true})).await;
        house.asker.ask(&key.key[..key.key.len() - 1], json!({})).await;
        house.asker.ask(&house.others_secret(key), json!({})).await;
        house
            .asker
            .post("/v1/verify/batch", json!({"items": [{"key": key.key}, {"key": key.key}]}))
            .await
            .ok();
        admin.post("/v1/whoami", json!({"key": key.key})).await.ok();
        admin.show(key).await;
        admin.change(key, json!({"name": "Renamed", "metadata": {"note": METADATA, "more": 1}})).await;
        misplace(house, key).await;
        let caller = admin.with_key(&key.key);
        caller.get("/v1/projects/registry/keys").await;
        caller.get(&format!("/v1/audit?action={}", "x".repeat(200))).await;
    }
    keys.push(admin.issue(json!({})).await);
    admin.turn(&keys[4], "disable", None).await;
    admin.turn(&keys[4], "suspend", Some(json!({"until": "2027-01-01T00:00:00Z"}))).await;
    for key in &keys[3..] {
        admin.revoke(key).await;
        house.asker.ask(&key.key, json!({})).await;
        admin.delete(&key.path()).await.gone();
    }
    let public = json!({"kind": "public", "restrictions": {"origins": ["https://a.example"]}});
    let public = admin.issue(public).await;
    admin.poke(&format!("{}/reveal", public.path())).await.ok();
    let minted = admin.mint(&keys[0], json!({"uses": 2})).await;
    house.asker.ask(&minted.key, json!({})).await;
    keys.extend([public, minted]);
    let (ann, at, _) = ready_for(house, "redeem").await;
    let shown = ann.poke(&at).await.ok();
    let (id, key) = (shown["id"].as_str().unwrap().to_owned(), shown["key"].as_str().unwrap().to_owned());
    keys.push(Issued { id, key, shown });
    keys
}

/// Puts a key in places where it does not belong.
async fn misplace(house: &House, key: &Issued) {
    let (admin, raw) = (&house.admin, key.key.as_str());
    for (path, status, code) in [
        (format!("/v1/keys/{raw}"), 404, "not_found"),
        (format!("/v1/projects/{raw}"), 404, "not_found"),
        (format!("/v1/nothing/{raw}?key={raw}"), 404, "not_found"),
        (format!("/v1/projects/registry/keys?key={raw}"), 422, "invalid_field"),
        (format!("/v1/projects/registry/keys?owner={raw}"), 422, "unknown_name"),
        (format!("/v1/audit?actor={raw}"), 422, "invalid_field"),
    ] {
        admin.get(&path).await.refused(status, code);
    }
    for (path, body, code) in [
        ("/v1/verify", json!({"key": raw, raw: 1}), "invalid_field"),
        ("/v1/verify", json!({"key": [raw]}), "invalid_field"),
        ("/v1/verify", json!({"key": raw, "project": raw}), "unknown_name"),
        ("/v1/projects", json!({"name": "A project", "slug": raw}), "invalid_field"),
        ("/v1/projects/registry/keys", json!({"name": "A key", "environment": raw}), "unknown_name"),
        (
            "/v1/projects/registry/keys",
            json!({"name": "A key", "environment": "production", "kind": raw}),
            "invalid_field",
        ),
    ] {
        admin.post(path, body).await.refused(422, code);
    }
    let call = async |method: Method, path: &str, header: (&str, &str)| {
        let body = (method == Method::PATCH).then(|| json!({}));
        admin.call(method, path, body, &[header]).await
    };
    call(Method::GET, "/v1/projects", ("x-api-key", raw)).await.refused(400, "credential_ambiguous");
    call(Method::PATCH, &key.path(), ("if-match", raw)).await.refused(400, "invalid_request");
    call(Method::GET, "/v1/projects", ("x-request-id", raw)).await.ok();
}

async fn no_canary_anywhere(mut house: House) {
    let keys = live(&house).await;
    // Written too: what was gathered in memory.
    house.restart().await;
    // Each answer was searched when it came; these hold what was gathered.
    let told = [
        house.stranger.get("/metrics").await.text,
        house.admin.get("/v1/audit?limit=1000").await.text,
        house.operator.get("/v1/audit?limit=1000").await.text,
        house.admin.get("/v1/projects/registry/unknown-keys").await.text,
        house.admin.get("/v1/projects/registry/keys?limit=1000").await.text,
    ]
    .concat();
    assert!(told.contains("key.revoke") && told.contains("wrong_secret"));
    assert!(!house.stranger.get("/metrics").await.text.contains(METADATA));

    let database = [house.database_bytes(), {
        house.stop().await;
        house.database_bytes()
    }]
    .concat();
    let log = LOG.lock().clone();
    assert!(log.len() > 10_000, "nothing was logged");
    assert!(!holds(&log, METADATA), "metadata is logged");
    let mut secrets: Vec<String> = house.shared.secrets.lock().clone();
    secrets.extend(keys.iter().map(|key| key.secret().to_owned()));
    assert!(secrets.len() > 8);
    for secret in &secrets {
        assert!(!told.contains(secret), "a secret is told");
        // A part of it, too: a half is searched faster than a whole.
        for part in [&secret[..16], &secret[16..]] {
            assert!(!holds(&log, part), "a secret is logged: {}", line_with(&log, part));
            assert!(!holds(&database, part), "a secret is in the database's files");
        }
    }
    if house.is_on_sqlite() {
        assert!(holds(&database, METADATA), "the search finds nothing: it proves nothing");
    }
}

fn holds(bytes: &[u8], text: &str) -> bool {
    let text = text.as_bytes();
    bytes.windows(text.len()).any(|window| window == text)
}

/// The line that holds it, for whoever must mend that.
fn line_with(log: &[u8], text: &str) -> String {
    let log = String::from_utf8_lossy(log);
    log.lines().find(|line| line.contains(text)).unwrap_or_default().to_owned()
}
