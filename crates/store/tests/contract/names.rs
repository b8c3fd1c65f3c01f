//! Names: unique where they must be, and compared byte by byte.

use crate::world::*;
use keystead_domain::ids::*;
use keystead_store::testing::TestStore;
use keystead_store::*;

pub(crate) async fn taken_names_are_named(store: TestStore) {
    settle(&store, 1).await;
    let db = &store.store;
    let taken = |unique| Err::<(), _>(StoreError::Unique(unique));
    let refused =
        act!(db, |tx| tx.insert_organization(&OrganizationRow { id: org(9), ..organization_row(1) }).await?);
    assert_eq!(refused, taken(Unique::OrganizationSlug));
    let refused = act!(db, |tx| tx.insert_project(&ProjectRow { id: project(9), ..project_row(1) }).await?);
    assert_eq!(refused, taken(Unique::ProjectSlug));
    let row = EnvironmentRow { id: environment(9), tag: "other".to_owned(), ..environment_row(1) };
    assert_eq!(act!(db, |tx| tx.insert_environment(&row).await?), taken(Unique::EnvironmentSlug));
    let row = EnvironmentRow { id: environment(9), slug: "other".to_owned(), ..environment_row(1) };
    assert_eq!(act!(db, |tx| tx.insert_environment(&row).await?), taken(Unique::EnvironmentTag));
    let row = PermissionRow { id: PermissionId([9; 16]), ..permission_row(1) };
    assert_eq!(act!(db, |tx| tx.insert_permission(&row).await?), taken(Unique::PermissionName));
    assert_eq!(read(&store).await.permissions_count(project(1)).await, Ok(1));
    assert_eq!(read(&store).await.permissions_count(project(9)).await, Ok(0));
    let refused = act!(db, |tx| tx.insert_role(&RoleRow { id: role(9), ..role_row(1) }).await?);
    assert_eq!(refused, taken(Unique::RoleName));
    let row = ServiceAccountRow { id: ServiceAccountId([9; 16]), ..service_account_row(1) };
    assert_eq!(act!(db, |tx| tx.insert_service_account(&row).await?), taken(Unique::ServiceAccountName));
    let row = ConsumerRow { id: consumer(9), ..consumer_row(1) };
    assert_eq!(act!(db, |tx| tx.insert_consumer(&row).await?), taken(Unique::ConsumerExternalId));
    let refused = act!(db, |tx| tx.insert_role(&RoleRow { name: "other".to_owned(), ..role_row(1) }).await?);
    assert_eq!(refused, taken(Unique::Id));
    // None is no external id: any number of consumers may lack one.
    for n in 10..12 {
        let row = ConsumerRow { id: consumer(n), external_id: None, ..consumer_row(1) };
        act!(db, |tx| tx.insert_consumer(&row).await?).unwrap();
    }
    // The error says which name, and never which value.
    assert!(!StoreError::Unique(Unique::ProjectSlug).to_string().contains("registry"));
}

/// LESSONS 27: an engine that ignored case let one name stand for another (CVE-2026-55170).
pub(crate) async fn identifiers_compare_exactly_lessons_27(store: TestStore) {
    settle(&store, 1).await;
    let mut r = read(&store).await;
    for slug in ["Registry", "REGISTRY", "registry ", " registry", "regist%", "re\u{301}gistry"] {
        assert_eq!(r.project_by_slug(org(1), slug).await, Ok(None), "{slug:?}");
    }
    for name in ["ROUTES.WRITE", "routes.writE", "routes_write", "routes.write\u{200b}"] {
        assert_eq!(r.permission_by_name(project(1), name).await, Ok(None), "{name:?}");
        assert_eq!(r.keys_granted(project(1), name).await, Ok(0));
    }
    assert_eq!(r.role_by_name(project(1), "Editor").await, Ok(None));
    assert_eq!(r.service_account_by_name(project(1), "Deployer").await, Ok(None));
    assert_eq!(r.consumer_by_external_id(project(1), "CUSTOMER-1").await, Ok(None));
    assert_eq!(r.environment_by_slug(project(1), "Production").await, Ok(None));
    // Names that differ in case only are different names; so are composed and decomposed letters.
    act!(store.store, |tx| {
        for (n, slug) in [(10, "Registry"), (11, "é"), (12, "e\u{301}"), (13, "registry ")] {
            tx.insert_project(&ProjectRow { id: project(n), slug: slug.to_owned(), ..project_row(1) })
                .await?;
        }
    })
    .unwrap();
    assert_eq!(r.project_by_slug(org(1), "é").await.unwrap().unwrap().id, project(11));
}
