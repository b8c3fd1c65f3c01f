//! Service accounts.

use crate::house::*;
use keystead_api::*;

fn account(name: &str, ceiling: Option<&[&str]>) -> CreateServiceAccount {
    CreateServiceAccount { name: name.into(), description: String::new(), ceiling: ceiling.map(texts) }
}

fn ceiling(ceiling: Option<&[&str]>) -> UpdateServiceAccount {
    UpdateServiceAccount { ceiling: Some(ceiling.map(texts)), ..UpdateServiceAccount::default() }
}

fn patch(text: &str) -> UpdateServiceAccount {
    serde_json::from_str(text).unwrap()
}

pub(crate) async fn a_service_account_is_changed_as_patched(house: House) {
    let (keystead, admin) = (&house.keystead, house.admin());
    house.acme(&admin).await;
    assert_eq!(field(keystead.create_service_account(&admin, "acme", account("CI", None)).await), "/name");
    assert_eq!(
        field(
            keystead
                .create_service_account(&admin, "acme", account("ci", Some(&["routes.read", "nothing"])))
                .await
        ),
        "/ceiling/1"
    );
    let made =
        keystead.create_service_account(&admin, "acme", account("ci", Some(&["routes.read"]))).await.unwrap();
    assert!(
        conflict(keystead.create_service_account(&admin, "acme", account("ci", None)).await).contains("name")
    );
    assert_eq!(keystead.service_account(&admin, "acme", "ci").await.unwrap(), made);
    assert_eq!(keystead.service_account(&admin, "acme", &made.id).await.unwrap(), made);

    let untouched = keystead.update_service_account(&admin, "acme", "ci", patch("{}"), None).await.unwrap();
    assert_eq!(untouched, made);
    let described = keystead
        .update_service_account(&admin, "acme", "ci", patch(r#"{"description": "Builds"}"#), None)
        .await
        .unwrap();
    assert_eq!((described.version, described.ceiling), (2, made.ceiling));
    assert_changed(
        keystead.update_service_account(&admin, "acme", "ci", patch(r#"{"ceiling": null}"#), Some(1)).await,
        2,
    );
    let open = keystead
        .update_service_account(&admin, "acme", "ci", patch(r#"{"ceiling": null}"#), Some(2))
        .await
        .unwrap();
    assert_eq!((open.ceiling, open.description.as_str()), (None, "Builds"));
    assert_eq!(
        field(keystead.update_service_account(&admin, "acme", "ci", ceiling(Some(&["zones.*"])), None).await),
        "/ceiling/0"
    );
    let closed =
        keystead.update_service_account(&admin, "acme", "ci", ceiling(Some(&[])), None).await.unwrap();
    assert_eq!(closed.ceiling, Some(Vec::new()));
    assert_eq!(
        keystead.list_service_accounts(&admin, "acme", &page(10, None)).await.unwrap().items,
        [closed]
    );
}

pub(crate) async fn an_account_that_owns_keys_stays(house: House) {
    let (keystead, admin) = (&house.keystead, house.admin());
    house.acme(&admin).await;
    keystead.create_service_account(&admin, "acme", account("ci", None)).await.unwrap();
    let input = CreateKey {
        owner: Some("ci".into()),
        permissions: everywhere(&["routes.*"]),
        ..CreateKey::default()
    };
    let key = house.key(&admin, input).await;
    assert_eq!(house.verdict(&admin, &key.key, "routes.write").await, Code::Valid);
    keystead
        .update_service_account(&admin, "acme", "ci", ceiling(Some(&["routes.read"])), None)
        .await
        .unwrap();
    assert_eq!(house.verdict(&admin, &key.key, "routes.write").await, Code::InsufficientPermissions);
    keystead
        .update_service_account(&admin, "acme", "ci", patch(r#"{"disabled": true}"#), None)
        .await
        .unwrap();
    assert_eq!(house.verdict(&admin, &key.key, "routes.read").await, Code::Disabled);

    assert!(conflict(keystead.delete_service_account(&admin, "acme", "ci", None).await).contains("owns: 1."));
    house.purge(&admin, &key.details.id).await;
    assert_changed(keystead.delete_service_account(&admin, "acme", "ci", Some(1)).await, 3);
    keystead.delete_service_account(&admin, "acme", "ci", Some(3)).await.unwrap();
    assert_not_found(keystead.service_account(&admin, "acme", "ci").await);
}

pub(crate) async fn nobody_lets_more_through_in_the_system_project_than_they_have(house: House) {
    let (keystead, admin) = (&house.keystead, house.admin());
    let limited = house.key_of(&admin, everywhere(&["accounts.*", "consumers.*", "keys.read"])).await;
    for wider in [None, Some(&["**"][..]), Some(&["keys.read", "keys.create"])] {
        assert_forbidden(keystead.create_service_account(&limited, "keystead", account("mine", wider)).await);
        let input =
            CreateConsumer { name: "Mine".into(), ceiling: wider.map(texts), ..CreateConsumer::default() };
        assert_forbidden(keystead.create_consumer(&limited, "keystead", input).await);
    }
    keystead
        .create_service_account(&limited, "keystead", account("mine", Some(&["keys.read"])))
        .await
        .unwrap();
    for wider in [None, Some(&["keys.*"][..])] {
        assert_forbidden(
            keystead.update_service_account(&limited, "keystead", "mine", ceiling(wider), None).await,
        );
    }
    keystead
        .update_service_account(&limited, "keystead", "mine", ceiling(Some(&["accounts.read"])), None)
        .await
        .unwrap();
}

/// Another's ceiling they may lower and leave, not lift; nor switch on what was switched off.
pub(crate) async fn nobody_lifts_another_s_system_account_beyond_themselves(house: House) {
    let (keystead, admin) = (&house.keystead, house.admin());
    let limited = house.key_of(&admin, everywhere(&["accounts.*", "keys.read"])).await;
    keystead
        .create_service_account(&admin, "keystead", account("root", Some(&["keys.*", "audit.read"])))
        .await
        .unwrap();
    keystead
        .update_service_account(&limited, "keystead", "root", patch(r#"{"description": "Root"}"#), None)
        .await
        .unwrap();
    keystead
        .update_service_account(&limited, "keystead", "root", ceiling(Some(&["keys.*"])), None)
        .await
        .unwrap();
    assert_forbidden(
        keystead
            .update_service_account(
                &limited,
                "keystead",
                "root",
                ceiling(Some(&["keys.*", "audit.read"])),
                None,
            )
            .await,
    );
    keystead
        .update_service_account(&limited, "keystead", "root", patch(r#"{"disabled": true}"#), None)
        .await
        .unwrap();
    assert_forbidden(
        keystead
            .update_service_account(&limited, "keystead", "root", patch(r#"{"disabled": false}"#), None)
            .await,
    );
    // Nor lift it while it is off, for whoever switches it on.
    let lifted = keystead.update_service_account(&limited, "keystead", "root", ceiling(None), None).await;
    assert_forbidden(lifted);
    keystead
        .update_service_account(&admin, "keystead", "root", patch(r#"{"disabled": false}"#), None)
        .await
        .unwrap();
}
