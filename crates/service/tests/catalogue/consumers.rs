//! Consumers.

use crate::house::*;
use keystead_api::*;

fn patch(text: &str) -> UpdateConsumer {
    serde_json::from_str(text).unwrap()
}

fn create(text: &str) -> CreateConsumer {
    serde_json::from_str(text).unwrap()
}

pub(crate) async fn a_consumer_is_changed_as_patched(house: House) {
    let (keystead, admin) = (&house.keystead, house.admin());
    house.acme(&admin).await;
    let input = r#"{"name": "Blue", "external_id": "crm-1", "contact": "api@blue.example", "ceiling": ["routes.*"],
        "limits": [{"name": "all", "limit": 5, "window": "1m"}], "quota": {"limit": 100, "per": "day"}}"#;
    let made = keystead.create_consumer(&admin, "acme", create(input)).await.unwrap();
    assert_eq!(keystead.consumer(&admin, "acme", "crm-1").await.unwrap(), made);
    assert_eq!(keystead.consumer(&admin, "acme", &made.id).await.unwrap(), made);
    assert!(
        conflict(
            keystead
                .create_consumer(&admin, "acme", create(r#"{"name": "Red", "external_id": "crm-1"}"#))
                .await
        )
        .contains("external id")
    );

    house.clock.step(1_000_000);
    assert_eq!(keystead.update_consumer(&admin, "acme", "crm-1", patch("{}"), Some(1)).await.unwrap(), made);
    let renamed = keystead
        .update_consumer(&admin, "acme", "crm-1", patch(r#"{"name": "Green"}"#), Some(1))
        .await
        .unwrap();
    assert_eq!(
        renamed,
        Consumer { name: "Green".into(), version: 2, updated_at: house.clock_now(), ..made.clone() }
    );
    assert_changed(
        keystead.update_consumer(&admin, "acme", "crm-1", patch(r#"{"quota": null}"#), Some(1)).await,
        2,
    );
    let cleared =
        patch(r#"{"external_id": null, "contact": null, "ceiling": null, "limits": [], "quota": null}"#);
    let cleared = keystead.update_consumer(&admin, "acme", "crm-1", cleared, Some(2)).await.unwrap();
    let bare = Consumer {
        external_id: None,
        contact: None,
        ceiling: None,
        limits: Vec::new(),
        quota: None,
        version: 3,
        ..renamed
    };
    assert_eq!(cleared, bare);
    assert_not_found(keystead.consumer(&admin, "acme", "crm-1").await);
    keystead
        .create_consumer(&admin, "acme", create(r#"{"name": "Red", "external_id": "crm-1"}"#))
        .await
        .unwrap();
    let taken =
        keystead.update_consumer(&admin, "acme", &made.id, patch(r#"{"external_id": "crm-1"}"#), None).await;
    assert!(conflict(taken).contains("external id"));
    assert_eq!(keystead.list_consumers(&admin, "acme", &page(10, None)).await.unwrap().items.len(), 2);
}

/// LESSONS 12: stale caches after a change.
pub(crate) async fn a_ceiling_holds_on_the_next_request(house: House) {
    let (keystead, admin) = (&house.keystead, house.admin());
    house.acme(&admin).await;
    let consumer = house.consumer(&admin, "Blue", None).await.unwrap();
    let input = CreateKey {
        consumer: Some(consumer.id.clone()),
        permissions: everywhere(&["routes.*"]),
        ..CreateKey::default()
    };
    let key = house.key(&admin, input).await.key;
    assert_eq!(house.verdict(&admin, &key, "routes.write").await, Code::Valid);
    let change = async |text: &str| {
        keystead.update_consumer(&admin, "acme", &consumer.id, patch(text), None).await.unwrap()
    };
    change(r#"{"ceiling": ["routes.read"]}"#).await;
    assert_eq!(house.verdict(&admin, &key, "routes.write").await, Code::InsufficientPermissions);
    assert_eq!(house.verdict(&admin, &key, "routes.read").await, Code::Valid);
    change(r#"{"disabled": true}"#).await;
    assert_eq!(house.verdict(&admin, &key, "routes.read").await, Code::Disabled);
    change(
        r#"{"disabled": false, "ceiling": null, "limits": [{"name": "all", "limit": 1, "window": "1m"}]}"#,
    )
    .await;
    assert_eq!(house.verdict(&admin, &key, "routes.write").await, Code::Valid);
    assert_eq!(house.verdict(&admin, &key, "routes.write").await, Code::RateLimited);
}

pub(crate) async fn a_consumer_with_keys_stays(house: House) {
    let (keystead, admin) = (&house.keystead, house.admin());
    house.acme(&admin).await;
    let input = create(r#"{"name": "Blue", "external_id": "crm-1", "quota": {"limit": 100, "per": "day"}}"#);
    keystead.create_consumer(&admin, "acme", input).await.unwrap();
    let input = CreateServiceAccount { name: "ci".into(), ..CreateServiceAccount::default() };
    keystead.create_service_account(&admin, "acme", input).await.unwrap();
    let mut keys = Vec::new();
    for owner in [None, Some("ci".to_owned())] {
        let input = CreateKey {
            owner,
            consumer: Some("crm-1".into()),
            permissions: everywhere(&["routes.read"]),
            ..CreateKey::default()
        };
        keys.push(house.key(&admin, input).await);
    }
    // The quota's account is leased from, and goes with the consumer.
    assert_eq!(house.verdict(&admin, &keys[0].key, "routes.read").await, Code::Valid);
    let detail = conflict(keystead.delete_consumer(&admin, "acme", "crm-1", None).await);
    assert!(detail.contains("issued to it: 2.") && detail.contains("owns: 1."), "{detail}");
    for key in &keys {
        house.purge(&admin, &key.details.id).await;
    }
    assert_changed(keystead.delete_consumer(&admin, "acme", "crm-1", Some(2)).await, 1);
    keystead.delete_consumer(&admin, "acme", "crm-1", Some(1)).await.unwrap();
    assert_not_found(keystead.consumer(&admin, "acme", "crm-1").await);
}

pub(crate) async fn limits_and_ceilings_are_checked(house: House) {
    let (keystead, admin) = (&house.keystead, house.admin());
    house.acme(&admin).await;
    house.consumer(&admin, "Blue", None).await.unwrap();
    for (fields, expected) in [
        (r#""name": """#, "/name"),
        (r#""external_id": " x""#, "/external_id"),
        (r#""contact": "nobody""#, "/contact"),
        (r#""ceiling": ["routes.read", "routes."]"#, "/ceiling/1"),
        (r#""ceiling": ["zones.read"]"#, "/ceiling/0"),
        (r#""ceiling": ["routes.*", "routes.*"]"#, "/ceiling/1"),
        (r#""limits": [{"name": "all", "limit": 0, "window": "1m"}]"#, "/limits/0/limit"),
        (
            r#""limits": [{"name": "all", "limit": 1, "window": "1m"}, {"name": "all", "limit": 1, "window": "1m"}]"#,
            "/limits/1/name",
        ),
        (r#""quota": {"limit": 0, "per": "day"}"#, "/quota/limit"),
        (r#""quota": {"limit": 1, "per": "day", "time_zone": "Mars/Olympus"}"#, "/quota/time_zone"),
    ] {
        let name =
            if fields.contains(r#""name": """#) { String::new() } else { r#""name": "Red", "#.to_owned() };
        let made = keystead.create_consumer(&admin, "acme", create(&format!("{{{name}{fields}}}"))).await;
        assert_eq!(field(made), expected, "{fields}");
    }
    let only = keystead.list_consumers(&admin, "acme", &page(10, None)).await.unwrap().items;
    assert_eq!(only.len(), 1);
    let changed = keystead
        .update_consumer(&admin, "acme", &only[0].id, patch(r#"{"quota": {"limit": 0, "per": "day"}}"#), None)
        .await;
    assert_eq!(field(changed), "/quota/limit");
    let everything =
        keystead.update_consumer(&admin, "acme", &only[0].id, patch(r#"{"ceiling": ["**"]}"#), None).await;
    assert_eq!(everything.unwrap().ceiling, Some(texts(&["**"])));
}
