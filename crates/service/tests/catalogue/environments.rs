//! Environments.

use crate::house::*;
use keystead_api::*;

fn called(slug: &str) -> CreateEnvironment {
    CreateEnvironment { name: "Name".into(), slug: slug.into(), tag: None }
}

pub(crate) async fn an_environment_has_a_usual_tag(house: House) {
    let (keystead, admin) = (&house.keystead, house.admin());
    house.project(&admin, "acme").await;
    for (slug, tag) in [
        ("production", "live"),
        ("staging", "test"),
        ("development", "dev"),
        ("eu-1", "eu1"),
        ("a-very-long-name-indeed", "averylongnameind"),
    ] {
        assert_eq!(keystead.create_environment(&admin, "acme", called(slug)).await.unwrap().tag, tag);
    }
    assert!(conflict(keystead.create_environment(&admin, "acme", called("staging")).await).contains("slug"));
    // `test` is taken by staging.
    assert!(conflict(keystead.create_environment(&admin, "acme", called("test")).await).contains("tag test"));
    let tagged = CreateEnvironment { tag: Some("qa".into()), ..called("test") };
    assert_eq!(keystead.create_environment(&admin, "acme", tagged).await.unwrap().tag, "qa");
    let tagged = CreateEnvironment { tag: Some("q_a".into()), ..called("other") };
    assert_eq!(field(keystead.create_environment(&admin, "acme", tagged).await), "/tag");

    let found = keystead.environment(&admin, "acme", "eu-1").await.unwrap();
    assert_eq!(keystead.environment(&admin, "acme", &found.id).await.unwrap(), found);
    assert_eq!(keystead.list_environments(&admin, "acme", &page(10, None)).await.unwrap().items.len(), 6);
    let renamed = UpdateEnvironment { name: Some("Europe".into()) };
    assert_changed(keystead.update_environment(&admin, "acme", "eu-1", renamed.clone(), Some(7)).await, 1);
    let renamed = keystead.update_environment(&admin, "acme", "eu-1", renamed, Some(1)).await.unwrap();
    assert_eq!((renamed.name.as_str(), renamed.slug.as_str(), renamed.version), ("Europe", "eu-1", 2));
}

pub(crate) async fn an_environment_with_keys_stays(house: House) {
    let (keystead, admin) = (&house.keystead, house.admin());
    house.acme(&admin).await;
    let key = house.key(&admin, CreateKey::default()).await;
    assert!(
        conflict(keystead.delete_environment(&admin, "acme", "production", None).await)
            .contains("environment: 1.")
    );
    house.purge(&admin, &key.details.id).await;
    assert_changed(keystead.delete_environment(&admin, "acme", "production", Some(9)).await, 1);
    keystead.delete_environment(&admin, "acme", "production", Some(1)).await.unwrap();
    assert_not_found(keystead.environment(&admin, "acme", "production").await);
    // It is gone from memory too.
    let input = CreateKey { name: "Key".into(), environment: "production".into(), ..CreateKey::default() };
    assert_unknown(keystead.create_key(&admin, "acme", input).await);
    keystead.create_environment(&admin, "acme", called("production")).await.unwrap();
}

pub(crate) async fn the_system_project_has_one(house: House) {
    let (keystead, admin) = (&house.keystead, house.admin());
    conflict(keystead.create_environment(&admin, "keystead", called("second")).await);
    conflict(keystead.delete_environment(&admin, "keystead", "production", None).await);
}
