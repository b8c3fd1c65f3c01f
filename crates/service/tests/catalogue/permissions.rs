//! The catalogue.

use crate::house::*;
use keystead_api::*;

fn permission(name: &str) -> CreatePermission {
    CreatePermission { name: name.into(), description: "Does it".into(), public_safe: false, sensitive: true }
}

pub(crate) async fn a_permission_in_use_stays(house: House) {
    let (keystead, admin) = (&house.keystead, house.admin());
    house.acme(&admin).await;
    let found = keystead.permission(&admin, "acme", "routes.read").await.unwrap();
    assert_eq!(keystead.permission(&admin, "acme", &found.id).await.unwrap(), found);
    conflict(keystead.create_permission(&admin, "acme", permission("routes.read")).await);
    assert_eq!(field(keystead.create_permission(&admin, "acme", permission("routes.*")).await), "/name");

    house.role(&admin, "acme", "reader", &["routes.read"]).await.unwrap();
    assert!(
        conflict(keystead.delete_permission(&admin, "acme", "routes.read", None).await).contains("reader")
    );
    keystead.delete_role(&admin, "acme", "reader", None).await.unwrap();
    let key = house
        .key(&admin, CreateKey { permissions: everywhere(&["routes.read"]), ..CreateKey::default() })
        .await;
    assert!(
        conflict(keystead.delete_permission(&admin, "acme", "routes.read", None).await)
            .contains("granted it: 1.")
    );
    house.purge(&admin, &key.details.id).await;

    // What only patterns stand for can go, and holds no longer.
    house.role(&admin, "acme", "router", &["routes.*"]).await.unwrap();
    let key =
        house.key(&admin, CreateKey { permissions: everywhere(&["routes.*"]), ..CreateKey::default() }).await;
    assert_eq!(house.verdict(&admin, &key.key, "routes.read").await, Code::Valid);
    assert_changed(keystead.delete_permission(&admin, "acme", "routes.read", Some(2)).await, 1);
    keystead.delete_permission(&admin, "acme", "routes.read", Some(1)).await.unwrap();
    assert_not_found(keystead.permission(&admin, "acme", "routes.read").await);
    assert_eq!(house.verdict(&admin, &key.key, "routes.read").await, Code::InsufficientPermissions);
    assert_eq!(house.verdict(&admin, &key.key, "routes.write").await, Code::Valid);

    let marked = UpdatePermission { sensitive: Some(true), ..UpdatePermission::default() };
    let marked = keystead.update_permission(&admin, "acme", "routes.write", marked, None).await.unwrap();
    assert!((marked.sensitive, marked.public_safe, marked.version) == (true, false, 2));
    assert_eq!(keystead.list_permissions(&admin, "acme", &page(10, None)).await.unwrap().items, [marked]);
}

pub(crate) async fn the_system_catalogue_is_keystead_s(house: House) {
    let (keystead, admin) = (&house.keystead, house.admin());
    conflict(keystead.create_permission(&admin, "keystead", permission("keys.forge")).await);
    let update = UpdatePermission { sensitive: Some(false), ..UpdatePermission::default() };
    conflict(keystead.update_permission(&admin, "keystead", "keys.create", update, None).await);
    conflict(keystead.delete_permission(&admin, "keystead", "audit.read", None).await);
    assert!(keystead.permission(&admin, "keystead", "keys.create").await.unwrap().sensitive);
}

/// A version that knows more is started on what an older one made.
pub(crate) async fn the_system_catalogue_has_what_is_new_after_an_upgrade(mut house: House) {
    let admin = house.admin();
    let known = house.keystead.permission(&admin, "keystead", "guardrails.write").await.unwrap();
    let organization = admin.organization();
    house.restart_without(organization, known.id.parse().unwrap()).await;
    let admin = house.admin();
    let added = house.keystead.permission(&admin, "keystead", "guardrails.write").await.unwrap();
    assert_eq!((&added.description, added.sensitive), (&known.description, true));
    assert_ne!(added.id, known.id);
    house.keystead.set_guardrails(&admin, Guardrails::default(), None).await.unwrap();
    let acts = house.audit(&admin, "catalogue.complete").await;
    assert_eq!(acts.len(), 1);
    let after = serde_json::to_value(&acts[0].after).unwrap();
    assert_eq!(after["permissions"], serde_json::json!(["guardrails.write"]));
    // Nothing is added twice.
    house.restart().await;
    assert_eq!(house.audit(&house.admin(), "catalogue.complete").await.len(), 1);
}

/// A role that names a permission and the permission's deletion must not both pass unseen.
pub(crate) async fn of_a_role_and_a_deletion_at_once_one_wins(house: House) {
    let (keystead, admin) = (&house.keystead, house.admin());
    house.acme(&admin).await;
    for round in 0..10 {
        let name = format!("round.r{round}");
        house.permission(&admin, "acme", &name).await;
        let role = format!("role-{round}");
        let named = [name.as_str()];
        let (made, deleted) = tokio::join!(
            house.role(&admin, "acme", &role, &named),
            keystead.delete_permission(&admin, "acme", &name, None),
        );
        assert!(made.is_ok() != deleted.is_ok(), "{made:?} {deleted:?}");
    }
}
