//! Roles.

use crate::house::*;
use keystead_api::*;

fn permissions(names: &[&str]) -> UpdateRole {
    UpdateRole { description: None, permissions: Some(texts(names)) }
}

pub(crate) async fn a_role_names_what_the_catalogue_knows(house: House) {
    let (keystead, admin) = (&house.keystead, house.admin());
    house.acme(&admin).await;
    let unknown =
        house.role(&admin, "acme", "editor", &["routes.*", "**", "routes.read", "routes.rea"]).await;
    assert_eq!(field(unknown), "/permissions/3");
    assert_unknown(house.role(&admin, "acme", "editor", &["zones.*"]).await);
    assert_eq!(
        field(house.role(&admin, "acme", "editor", &["routes.read", "routes*"]).await),
        "/permissions/1"
    );
    assert_eq!(
        field(house.role(&admin, "acme", "editor", &["routes.*", "routes.*"]).await),
        "/permissions/1"
    );
    assert_eq!(field(house.role(&admin, "acme", "editor", &["routes.*"; 257]).await), "/permissions");
    assert_eq!(field(house.role(&admin, "acme", "Editor", &[]).await), "/name");

    let role = house.role(&admin, "acme", "editor", &["routes.read", "routes.*"]).await.unwrap();
    assert_eq!(keystead.role(&admin, "acme", "editor").await.unwrap(), role);
    assert_eq!(keystead.role(&admin, "acme", &role.id).await.unwrap(), role);
    assert!(conflict(house.role(&admin, "acme", "editor", &[]).await).contains("name"));
    assert_eq!(
        field(keystead.update_role(&admin, "acme", "editor", permissions(&["zones.read"]), None).await),
        "/permissions/0"
    );
    assert_eq!(keystead.role(&admin, "acme", "editor").await.unwrap(), role);
    assert_eq!(keystead.list_roles(&admin, "acme", &page(10, None)).await.unwrap().items, [role]);
}

/// LESSONS 12: stale caches after a change.
pub(crate) async fn a_role_s_change_holds_on_the_next_request(house: House) {
    let (keystead, admin) = (&house.keystead, house.admin());
    house.acme(&admin).await;
    house.role(&admin, "acme", "editor", &["routes.read"]).await.unwrap();
    let input = CreateKey { roles: vec![RoleGrant::Everywhere("editor".into())], ..CreateKey::default() };
    let key = house.key(&admin, input).await.key;
    assert_eq!(house.verdict(&admin, &key, "routes.write").await, Code::InsufficientPermissions);
    assert_changed(
        keystead.update_role(&admin, "acme", "editor", permissions(&["routes.*"]), Some(3)).await,
        1,
    );
    let role =
        keystead.update_role(&admin, "acme", "editor", permissions(&["routes.*"]), Some(1)).await.unwrap();
    assert_eq!((role.version, role.permissions), (2, texts(&["routes.*"])));
    assert_eq!(house.verdict(&admin, &key, "routes.write").await, Code::Valid);
    keystead.update_role(&admin, "acme", "editor", permissions(&[]), None).await.unwrap();
    assert_eq!(house.verdict(&admin, &key, "routes.read").await, Code::InsufficientPermissions);
}

pub(crate) async fn a_role_in_use_stays(house: House) {
    let (keystead, admin) = (&house.keystead, house.admin());
    house.acme(&admin).await;
    house.role(&admin, "acme", "editor", &["routes.*"]).await.unwrap();
    let input = CreateKey { roles: vec![RoleGrant::Everywhere("editor".into())], ..CreateKey::default() };
    let key = house.key(&admin, input).await;
    assert!(conflict(keystead.delete_role(&admin, "acme", "editor", None).await).contains("hold it: 1;"));
    house.purge(&admin, &key.details.id).await;
    assert_changed(keystead.delete_role(&admin, "acme", "editor", Some(2)).await, 1);
    keystead.delete_role(&admin, "acme", "editor", Some(1)).await.unwrap();
    assert_not_found(keystead.role(&admin, "acme", "editor").await);
}

pub(crate) async fn nobody_writes_a_system_role_wider_than_themselves(house: House) {
    let (keystead, admin) = (&house.keystead, house.admin());
    house.project(&admin, "acme").await;
    let mut given = everywhere(&["catalogue.*", "keys.read"]);
    given.push(narrowed("keys.create", &["projects/acme"]));
    let limited = house.key_of(&admin, given).await;
    house.role(&limited, "keystead", "reader", &["keys.read", "catalogue.read"]).await.unwrap();
    for wider in ["**", "keys.*", "keys.create", "audit.read"] {
        assert_forbidden(house.role(&limited, "keystead", "wide", &["keys.read", wider]).await);
        assert_forbidden(
            keystead.update_role(&limited, "keystead", "reader", permissions(&[wider]), None).await,
        );
    }
    house.role(&admin, "keystead", "wide", &["**"]).await.unwrap();
    let describe = UpdateRole { description: Some("All".into()), permissions: None };
    keystead.update_role(&limited, "keystead", "wide", describe, None).await.unwrap();

    // In a project of their own, issuing is not doing: customers' roles are no reach of theirs.
    house.permission(&admin, "acme", "routes.read").await;
    house.role(&limited, "acme", "customer", &["routes.read", "**"]).await.unwrap();
}
