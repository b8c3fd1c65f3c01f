//! `POST /v1/projects/{project}/keys`

use crate::house::{House, on_both_engines};
use serde_json::{Value, json};

on_both_engines! {
    a_key_is_shown_once_with_everything_about_it,
    every_field_is_shown_again_as_it_was_sent,
    a_key_is_found_by_its_id_and_its_digest_by_nobody_lessons_10,
    the_owner_is_the_consumer_or_the_makers,
    unknown_names_are_refused_with_their_field,
    wrong_fields_are_refused_with_their_field,
    an_administrator_cannot_give_more_than_its_own_key_has,
}

const KEYS: &str = "/v1/projects/registry/keys";

async fn a_key_is_shown_once_with_everything_about_it(house: House) {
    let made = house.admin.issue(json!({"name": "Website"})).await;
    let (id, key) = (&made.id, &made.key);
    assert_eq!(key.len(), "registry_live_".len() + 50);
    assert_eq!(made.shown["start"], format!("registry_live_{}", id.strip_prefix("key_").unwrap()));
    assert!(key.starts_with(made.shown["start"].as_str().unwrap()));
    for (field, value) in [
        ("name", json!("Website")),
        ("project", json!("registry")),
        ("environment", json!("production")),
        ("kind", json!("private")),
        ("status", json!("active")),
        ("permissions", json!([])),
        ("expires_at", Value::Null),
        ("revocation", Value::Null),
        ("last_used_at", Value::Null),
        ("created_at", json!("2026-01-01T00:00:00Z")),
        ("updated_at", json!("2026-01-01T00:00:00Z")),
        ("created_from", json!("127.0.0.1")),
        ("version", json!(1)),
        ("metadata", json!({})),
    ] {
        assert_eq!(made.shown[field], value, "{field}");
    }
    assert_eq!(house.asker.bare(&made).await, "valid");
}

/// A key with a value in each field that can be set.
pub(crate) fn full() -> Value {
    json!({
        "name": "Everything",
        "environment": "production",
        "kind": "private",
        "owner": "worker",
        "consumer": "customer-1",
        "permissions": ["zones.read", {"permission": "networks.*", "resources": ["networks/NET-7", "zones/**"]}],
        "roles": ["editor"],
        "restrictions": {
            "networks": {"allow": ["192.0.2.0/24", "2001:db8::/32"], "deny": ["192.0.2.13/32"]},
            "origins": ["https://app.example.com", "https://*.example.net:8443"],
            "endpoints": [{"methods": ["GET", "POST"], "path": "/v1/zones/*"}, {"path": "/v1/open/**"}],
            "hours": {
                "time_zone": "Europe/Berlin",
                "weekly": [{"days": ["mon", "tue"], "from": "08:00", "to": "18:00"}],
            },
        },
        "limits": [{"name": "minute", "limit": 10, "window": "1m", "burst": 5}],
        "quota": {"limit": 1000, "per": "month", "time_zone": "Asia/Tokyo"},
        "credits": {"remaining": 50, "refill": "daily", "amount": 60},
        "not_before": "2026-02-01T00:00:00Z",
        "expires_at": "2027-02-01T00:00:00.000001Z",
        "tags": ["team:noc", "web"],
        "metadata": {"ticket": "NOC-7", "deep": {"list": [1, 2.5, null, true]}},
    })
}

async fn every_field_is_shown_again_as_it_was_sent(house: House) {
    let made = house.admin.issue(full()).await;
    let shown = house.admin.show(&made).await;
    let (sent, acme) = (full(), &house.acme);
    for field in [
        "name",
        "environment",
        "kind",
        "permissions",
        "roles",
        "restrictions",
        "limits",
        "quota",
        "not_before",
        "expires_at",
        "tags",
        "metadata",
    ] {
        assert_eq!(shown[field], sent[field], "{field}");
        assert_eq!(made.shown[field], sent[field], "{field} in the first answer");
    }
    assert_eq!(shown["owner"], json!({"kind": "service_account", "id": acme.account, "name": "worker"}));
    let customer = json!({"id": acme.consumer, "name": "First customer", "external_id": "customer-1"});
    assert_eq!(shown["consumer"], customer);
    let credits =
        json!({"remaining": 50, "refill": "daily", "amount": 60, "refills_at": "2026-01-02T00:00:00Z"});
    assert_eq!(shown["credits"], credits);
    assert_eq!(
        (&shown["status"], &shown["created_by"]),
        (&json!("not_yet_valid"), &made.shown["created_by"])
    );
    assert_eq!(shown["quota_status"][0]["remaining"], 1000);
    assert_eq!(shown["limit_status"][0]["remaining"], 5);
    assert!(shown.get("key").is_none());
}

/// LESSONS 10: rivals either keep keys readable, or cannot find a hashed key again.
async fn a_key_is_found_by_its_id_and_its_digest_by_nobody_lessons_10(house: House) {
    let made = house.admin.issue(json!({"name": "Findable"})).await;
    assert_eq!(house.admin.show(&made).await["name"], "Findable");
    let id = made.id.strip_prefix("key_").unwrap();
    let list = house.admin.get(&format!("{KEYS}?text={id}")).await.ok();
    assert_eq!(list["items"][0]["id"], made.id.as_str());
    let (listed, shown) = (list["items"][0].as_object().unwrap(), made.shown.as_object().unwrap());
    let mut expected: Vec<_> = shown.keys().filter(|field| *field != "key").collect();
    let mut fields: Vec<_> = listed.keys().collect();
    expected.sort();
    fields.sort();
    assert_eq!(fields, expected);
}

async fn the_owner_is_the_consumer_or_the_makers(house: House) {
    let admin = &house.admin;
    let own = admin.poke("/v1/whoami").await.ok();
    let made = admin.issue(json!({})).await;
    assert_eq!(made.shown["owner"], own["owner"]);
    assert_eq!(made.shown["created_by"], own["id"]);
    let issued = admin.issue(json!({"consumer": "customer-1"})).await;
    assert_eq!(issued.shown["owner"]["id"], house.acme.consumer.as_str());
    for owner in [&house.acme.account, &house.acme.consumer] {
        assert_eq!(admin.issue(json!({"owner": owner})).await.shown["owner"]["id"], owner.as_str());
    }
}

async fn unknown_names_are_refused_with_their_field(house: House) {
    for (body, field) in [
        (json!({"environment": "staging"}), "/environment"),
        (json!({"owner": "nobody"}), "/owner"),
        (json!({"consumer": "customer-2"}), "/consumer"),
        (json!({"permissions": ["zones.read", "zones.wirte"]}), "/permissions/1"),
        (json!({"permissions": ["mail.*"]}), "/permissions/0"),
        (json!({"permissions": [{"permission": "mail.read", "resources": ["a"]}]}), "/permissions/0"),
        (json!({"roles": ["editor", "auditor"]}), "/roles/1"),
    ] {
        let mut whole = json!({"name": "A key", "environment": "production"});
        whole.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
        house.admin.post(KEYS, whole).await.wrong_field("unknown_name", field);
    }
    let problem = house
        .admin
        .post(
            KEYS,
            json!({"name": "A key", "environment": "production",
        "permissions": ["zones.raed"]}),
        )
        .await
        .wrong_field("unknown_name", "/permissions/0");
    assert!(problem["fix"].as_str().unwrap().contains("zones.read"), "{problem}");
    assert_eq!(house.admin.get(KEYS).await.ok()["items"], json!([]));
}

async fn wrong_fields_are_refused_with_their_field(house: House) {
    for (body, field) in [
        (json!({"name": ""}), "/name"),
        (json!({"name": "x".repeat(129)}), "/name"),
        (json!({"tags": ["Upper"]}), "/tags/0"),
        (json!({"metadata": {"x": "y".repeat(9_000)}}), "/metadata"),
        (json!({"expires_at": "2025-12-31T23:59:59Z"}), "/expires_at"),
        (json!({"expires_at": "2026-03-01T00:00:00Z", "not_before": "2026-03-01T00:00:00Z"}), "/expires_at"),
        (json!({"limits": [{"name": "a", "limit": 0, "window": "1m"}]}), "/limits/0/limit"),
        (json!({"limits": [{"name": "a", "limit": 1, "window": "1w"}]}), "/limits/0/window"),
        (
            json!({"limits": [{"name": "a", "limit": 1, "window": "1m"}, {"name": "a", "limit": 2, "window": "1h"}]}),
            "/limits/1/name",
        ),
        (json!({"quota": {"limit": 0, "per": "day"}}), "/quota/limit"),
        (json!({"quota": {"limit": 1, "per": "day", "time_zone": "Mars/Olympus"}}), "/quota/time_zone"),
        (
            json!({"credits": {"remaining": 1, "refill": "daily", "amount": 2_000_000_000_000_u64}}),
            "/credits/amount",
        ),
        (json!({"restrictions": {"networks": {"allow": ["300.0.0.1"]}}}), "/restrictions/networks/allow/0"),
        (json!({"restrictions": {"origins": ["app.example.com"]}}), "/restrictions/origins/0"),
        (json!({"restrictions": {"endpoints": [{"path": "v1"}]}}), "/restrictions/endpoints/0/path"),
        (
            json!({"restrictions": {"hours": {"time_zone": "UTC", "weekly": []}}}),
            "/restrictions/hours/weekly",
        ),
        (json!({"permissions": [{"permission": "zones.read", "resources": []}]}), "/permissions/0/resources"),
        (json!({"roles": [{"role": "editor", "resources": []}]}), "/roles/0/resources"),
        (json!({"kind": "secret"}), "/kind"),
    ] {
        let mut whole = json!({"name": "A key", "environment": "production"});
        whole.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
        house.admin.post(KEYS, whole).await.wrong_field("invalid_field", field);
    }
    assert_eq!(house.admin.get(KEYS).await.ok()["items"], json!([]));
}

async fn an_administrator_cannot_give_more_than_its_own_key_has(house: House) {
    let narrowed = json!({"permission": "keys.create", "resources": ["projects/keystead"]});
    let maker = house
        .admin
        .issue_in(
            "keystead",
            json!({
                "permissions": [narrowed, "audit.read"], "expires_at": "2026-06-01T00:00:00Z",
            }),
        )
        .await;
    let maker = house.admin.with_key(&maker.key);
    let issue = async |body: Value| {
        let mut whole =
            json!({"name": "A key", "environment": "production", "expires_at": "2026-05-01T00:00:00Z"});
        whole.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
        maker.post("/v1/projects/keystead/keys", whole).await
    };
    issue(json!({"permissions": ["audit.read"]})).await.created();
    for wider in [
        json!({"permissions": ["**"]}),
        json!({"permissions": ["keys.create"]}),
        json!({"permissions": ["keys.read"]}),
        json!({"permissions": [{"permission": "keys.create", "resources": ["projects/registry"]}]}),
        json!({"permissions": ["audit.read"], "expires_at": null}),
        json!({"permissions": ["audit.read"], "expires_at": "2026-06-01T00:00:00.000001Z"}),
    ] {
        issue(wider).await.refused(403, "forbidden");
    }
}
