//! `POST /v1/verify` with `explain`

use crate::house::{House, on_both_engines};
use serde_json::{Value, json};

on_both_engines! {
    each_denial_is_explained,
    what_is_used_up_is_explained,
    a_key_that_is_switched_off_is_explained,
    a_token_that_proves_nothing_is_explained_without_state,
    all_that_is_wrong_is_listed_at_once,
    explaining_takes_nothing_and_is_no_use,
}

async fn explain(house: &House, key: &str, mut request: Value) -> (Value, Vec<Value>) {
    request["explain"] = json!(true);
    let verdict = house.asker.ask(key, request).await;
    let checks = verdict["explanation"].as_array().unwrap().clone();
    for check in &checks {
        let why = check["why"].as_str().unwrap();
        assert!(why.ends_with(['.', '?']) && why.len() > 10, "{check}");
        let name = check["check"].as_str().unwrap();
        assert_eq!(
            check["code"].is_null(),
            check["outcome"] != "failed" || name.starts_with("permission "),
            "{check}"
        );
    }
    (verdict, checks)
}

async fn each_denial_is_explained(house: House) {
    let sunday = json!({"days": ["sun"], "from": "00:00", "to": "24:00"});
    let networks = json!({"networks": {"allow": ["192.0.2.0/24"]}});
    let hours = json!({"hours": {"time_zone": "UTC", "weekly": [sunday]}});
    let origins = json!({"origins": ["https://a.example"]});
    let endpoints = json!({"endpoints": [{"path": "/a"}]});
    let from = |ip: &str| json!({"ip": ip});
    let call = json!({"method": "GET", "path": "/b"});
    let limit = json!([{"name": "minute", "limit": 1, "window": "1m"}]);
    let limit_of_key = "limit minute of the key";
    for (field, value, request, code, check, why) in [
        (
            "expires_at",
            json!("2026-01-01T00:00:01Z"),
            json!({}),
            "expired",
            "state",
            "at 2026-01-01T00:00:01Z",
        ),
        (
            "not_before",
            json!("2026-06-01T00:00:00Z"),
            json!({}),
            "not_yet_valid",
            "state",
            "not valid before",
        ),
        ("restrictions", networks.clone(), from("198.51.100.1"), "network_denied", "network", "198.51.100.1"),
        ("restrictions", networks, json!({}), "network_denied", "network", "needs `ip`"),
        ("restrictions", origins, json!({"origin": "null"}), "origin_denied", "origin", "null"),
        ("restrictions", endpoints, call, "endpoint_denied", "endpoint", "GET /b"),
        ("restrictions", hours, json!({}), "condition_denied", "hours", "hours"),
        (
            "roles",
            json!([]),
            json!({"permissions": "zones.read"}),
            "insufficient_permissions",
            "permissions",
            "lacks",
        ),
        ("limits", limit, json!({"cost": 2}), "rate_limited", limit_of_key, "takes 2"),
    ] {
        let key = house.admin.issue(json!({field: value})).await;
        house.wait(2);
        let (verdict, checks) = explain(&house, &key.key, request.clone()).await;
        assert_eq!(verdict["code"], code, "{verdict}");
        let failed = checks.iter().find(|check| check["outcome"] == "failed").unwrap();
        assert_eq!((&failed["check"], &failed["code"]), (&json!(check), &json!(code)));
        assert!(failed["why"].as_str().unwrap().contains(why), "{failed}");
        assert_eq!(house.asker.code(&key, request).await, code);
    }
}

async fn what_is_used_up_is_explained(house: House) {
    for (spend, code, check) in [
        (json!({"quota": {"limit": 1, "per": "day"}}), "quota_exceeded", "quota of the key"),
        (json!({"credits": {"remaining": 1}}), "credits_exhausted", "credits of the key"),
    ] {
        let key = house.admin.issue(spend).await;
        assert_eq!(house.asker.bare(&key).await, "valid");
        let (verdict, checks) = explain(&house, &key.key, json!({})).await;
        assert_eq!(verdict["code"], code);
        assert!(checks.iter().any(|one| one["check"] == check && one["code"] == code), "{checks:?}");
    }
}

async fn a_key_that_is_switched_off_is_explained(house: House) {
    let (admin, account) = (&house.admin, "/v1/projects/registry/service-accounts/worker");
    let key = admin.issue(json!({"owner": "worker"})).await;
    for (turn, body, code, why) in [
        ("suspend", Some(json!({"until": "2027-01-01T00:00:00Z"})), "suspended", "suspended until 2027"),
        ("disable", None, "disabled", "The key is disabled"),
        ("enable", None, "disabled", "worker"),
        ("revoke", Some(json!({"reason": "A test says so"})), "revoked", "revoked"),
    ] {
        if turn == "enable" {
            admin.patch(account, json!({"disabled": true})).await.ok();
        }
        admin.turn(&key, turn, body).await;
        let (verdict, checks) = explain(&house, &key.key, json!({})).await;
        assert_eq!(verdict["code"], code, "{turn}");
        let state = checks.iter().find(|check| check["check"] == "state").unwrap();
        assert!(state["why"].as_str().unwrap().contains(why), "{state}");
    }
}

async fn a_token_that_proves_nothing_is_explained_without_state(house: House) {
    let key = house.admin.issue(json!({})).await;
    house.admin.revoke(&key).await;
    for (text, code, check) in [
        ("nonsense".to_owned(), "malformed", "format"),
        (house.unknown_key(), "not_found", "key"),
        (house.others_secret(&key), "wrong_secret", "secret"),
    ] {
        let (verdict, checks) = explain(&house, &text, json!({})).await;
        assert_eq!((&verdict["code"], &verdict["key_id"]), (&json!(code), &json!(null)));
        let names: Vec<_> = checks.iter().map(|check| check["check"].as_str().unwrap()).collect();
        assert_eq!(names, ["format", "key", "secret"]);
        let failed = checks.iter().find(|one| one["outcome"] == "failed").unwrap();
        assert_eq!((&failed["check"], &failed["code"]), (&json!(check), &json!(code)));
    }
}

async fn all_that_is_wrong_is_listed_at_once(house: House) {
    let key = house
        .admin
        .issue(json!({
            "restrictions": {"networks": {"allow": ["192.0.2.0/24"]}, "origins": ["https://a.example"]},
            "permissions": ["zones.read"],
        }))
        .await;
    let request = json!({"permissions": {"all": ["zones.read", "routes.read"]}});
    let (verdict, checks) = explain(&house, &key.key, request).await;
    assert_eq!(verdict["code"], "network_denied");
    let outcome = |name: &str| checks.iter().find(|check| check["check"] == name).unwrap()["outcome"].clone();
    for (check, expected) in [
        ("format", "passed"),
        ("state", "passed"),
        ("network", "failed"),
        ("origin", "failed"),
        ("endpoint", "not_applicable"),
        ("permissions", "failed"),
        ("permission zones.read", "passed"),
        ("permission routes.read", "failed"),
        ("hours", "not_applicable"),
    ] {
        assert_eq!(outcome(check), expected, "{check}");
    }
}

async fn explaining_takes_nothing_and_is_no_use(mut house: House) {
    let key = house
        .admin
        .issue(json!({"limits": [{"name": "minute", "limit": 1, "window": "1m"}],
        "credits": {"remaining": 1}}))
        .await;
    for _ in 0..3 {
        assert_eq!(explain(&house, &key.key, json!({})).await.0["code"], "valid");
    }
    explain(&house, &house.unknown_key(), json!({})).await;
    house.restart().await;
    let shown = house.admin.show(&key).await;
    assert_eq!((&shown["last_used_at"], &shown["credits"]["remaining"]), (&json!(null), &json!(1)));
    assert_eq!(house.admin.get("/v1/projects/registry/unknown-keys").await.ok()["items"], json!([]));
    assert_eq!(house.asker.bare(&key).await, "valid");
}
