//! Projects.

use crate::house::*;
use keystead_api::*;

fn named(name: &str) -> UpdateProject {
    UpdateProject { name: Some(name.into()), prefix: None }
}

pub(crate) async fn a_project_is_found_by_id_and_slug_and_changed(house: House) {
    let (keystead, admin) = (&house.keystead, house.admin());
    let project = house.project(&admin, "acme").await;
    assert_eq!((project.prefix.as_str(), project.version, project.system), ("acme", 1, false));
    assert_eq!(keystead.project(&admin, "acme").await.unwrap(), project);
    assert_eq!(keystead.project(&admin, &project.id).await.unwrap(), project);
    assert_not_found(keystead.project(&admin, "other").await);
    assert!(
        conflict(
            keystead
                .create_project(
                    &admin,
                    CreateProject { name: "Again".into(), slug: "acme".into(), prefix: None }
                )
                .await
        )
        .contains("slug")
    );

    house.clock.step(1_000_000);
    assert_changed(keystead.update_project(&admin, "acme", named("Acme"), Some(2)).await, 1);
    let changed = keystead.update_project(&admin, "acme", named("Acme"), Some(1)).await.unwrap();
    assert_eq!((changed.name.as_str(), changed.version), ("Acme", 2));
    assert_eq!(changed.updated_at, house.clock_now());
    assert_eq!(changed.created_at, project.created_at);
    assert_eq!(keystead.project(&admin, "acme").await.unwrap(), changed);
    let prefix = UpdateProject { name: None, prefix: Some("Acme".into()) };
    assert_eq!(field(keystead.update_project(&admin, "acme", prefix, None).await), "/prefix");

    let same = keystead.update_project(&admin, "acme", named("Acme"), None).await.unwrap();
    assert_eq!(same, changed);
    assert_eq!(house.audit(&admin, "project.update").await.len(), 1);
}

pub(crate) async fn a_prefix_comes_from_the_slug_or_is_asked_for(house: House) {
    let (keystead, admin) = (&house.keystead, house.admin());
    assert_eq!(house.project(&admin, "my-company").await.prefix, "my_company");
    let long = "a".repeat(33);
    for slug in ["4u", long.as_str()] {
        let input = CreateProject { name: "Name".into(), slug: slug.into(), prefix: None };
        assert_eq!(field(keystead.create_project(&admin, input.clone()).await), "/prefix");
        let input = CreateProject { prefix: Some("for_you".into()), ..input };
        assert_eq!(keystead.create_project(&admin, input).await.unwrap().prefix, "for_you");
    }
    let input = CreateProject { name: " ".into(), slug: "x".into(), prefix: None };
    assert_eq!(field(keystead.create_project(&admin, input).await), "/name");
    let input = CreateProject { name: "Name".into(), slug: "X".into(), prefix: None };
    assert_eq!(field(keystead.create_project(&admin, input).await), "/slug");
}

pub(crate) async fn the_system_project_stays_as_it_is(house: House) {
    let (keystead, admin) = (&house.keystead, house.admin());
    assert!(keystead.project(&admin, "keystead").await.unwrap().system);
    conflict(keystead.update_project(&admin, "keystead", named("Mine"), None).await);
    let input = CreateProject { name: "Mine".into(), slug: "keystead".into(), prefix: None };
    conflict(keystead.create_project(&admin, input).await);
}

pub(crate) async fn a_narrowed_caller_sees_exactly_its_projects(house: House) {
    let (keystead, admin) = (&house.keystead, house.admin());
    for slug in ["a", "b", "c", "d", "e"] {
        house.clock.step(1_000_000);
        house.project(&admin, slug).await;
    }
    let caller = house.key_of(&admin, vec![narrowed("projects.read", &["projects/b", "projects/d"])]).await;
    let first = keystead.list_projects(&caller, &page(1, None)).await.unwrap();
    assert_eq!(first.items.iter().map(|project| project.slug.as_str()).collect::<Vec<_>>(), ["d"]);
    let second = keystead.list_projects(&caller, &page(1, first.next_cursor)).await.unwrap();
    assert_eq!(second.items.iter().map(|project| project.slug.as_str()).collect::<Vec<_>>(), ["b"]);
    assert_eq!(second.next_cursor, None);
    assert_eq!(keystead.list_projects(&caller, &page(10, None)).await.unwrap().items.len(), 2);
    keystead.project(&caller, "b").await.unwrap();
    assert_forbidden(keystead.project(&caller, "a").await);
    assert_forbidden(keystead.update_project(&caller, "b", named("Mine"), None).await);

    let none = house.key_of(&admin, everywhere(&["audit.read"])).await;
    assert_forbidden(keystead.list_projects(&none, &page(10, None)).await);
    let all = keystead.list_projects(&admin, &page(10, None)).await.unwrap();
    assert_eq!(all.items.len(), 6);
}

/// LESSONS 25: cross-tenant handles worked.
pub(crate) async fn tenants_see_nothing_of_each_other_lessons_25(house: House) {
    let (keystead, admin) = (&house.keystead, house.admin());
    let project = house.acme(&admin).await;
    let environment = keystead.environment(&admin, "acme", "production").await.unwrap();
    let permission = keystead.permission(&admin, "acme", "routes.read").await.unwrap();
    let role = house.role(&admin, "acme", "reader", &["routes.read"]).await.unwrap();
    let consumer = house.consumer(&admin, "Customer", None).await.unwrap();
    let input = CreateServiceAccount { name: "ci".into(), ..CreateServiceAccount::default() };
    let account = keystead.create_service_account(&admin, "acme", input).await.unwrap();

    let other = house.tenant("other").await;
    for named in ["acme", project.id.as_str()] {
        assert_not_found(keystead.project(&other, named).await);
        assert_not_found(keystead.list_roles(&other, named, &page(1, None)).await);
        assert_not_found(keystead.unknown_keys(&other, named, &page(1, None)).await);
    }
    // Its own project of the same name reaches none of the first one's things by their ids.
    house.clock.step(1_000_000);
    house.project(&other, "acme").await;
    assert_not_found(keystead.environment(&other, "acme", &environment.id).await);
    assert_not_found(keystead.permission(&other, "acme", &permission.id).await);
    assert_not_found(keystead.delete_role(&other, "acme", &role.id, None).await);
    assert_not_found(
        keystead.update_consumer(&other, "acme", &consumer.id, UpdateConsumer::default(), None).await,
    );
    assert_not_found(keystead.delete_service_account(&other, "acme", &account.id, None).await);
    let slugs = keystead.list_projects(&other, &page(10, None)).await.unwrap();
    assert_eq!(
        slugs.items.iter().map(|project| project.slug.as_str()).collect::<Vec<_>>(),
        ["acme", "keystead"]
    );
    // Nor does another project of the same organization.
    house.project(&admin, "second").await;
    assert_not_found(keystead.role(&admin, "second", &role.id).await);
    assert_not_found(keystead.consumer(&admin, "second", &consumer.id).await);
}

pub(crate) async fn of_two_writers_one_wins(house: House) {
    let (keystead, admin) = (&house.keystead, house.admin());
    house.project(&admin, "acme").await;
    let (first, second) = tokio::join!(
        keystead.update_project(&admin, "acme", named("First"), Some(1)),
        keystead.update_project(&admin, "acme", named("Second"), Some(1)),
    );
    let (won, lost) = if first.is_ok() { (first, second) } else { (second, first) };
    assert_eq!(won.unwrap().version, 2);
    assert_changed(lost, 2);
}
