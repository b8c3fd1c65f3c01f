//! What stands around keys: organizations, projects, environments, permissions, roles, service
//! accounts and consumers.

use crate::world::*;
use keystead_domain::ids::*;
use keystead_domain::time::Micros;
use keystead_store::testing::{START, TestStore};
use keystead_store::*;

pub(crate) async fn rows_are_read_back_as_they_were_written(store: TestStore) {
    settle(&store, 1).await;
    settle(&store, 2).await;
    let mut r = read(&store).await;
    assert_eq!(r.organization(org(1)).await, Ok(Some(organization_row(1))));
    assert_eq!(r.organization_by_slug("organization-1").await, Ok(Some(organization_row(1))));
    assert_eq!(r.project(org(1), project(1)).await, Ok(Some(project_row(1))));
    assert_eq!(r.project_by_slug(org(2), "registry").await, Ok(Some(project_row(2))));
    assert_eq!(r.environment(org(1), environment(1)).await, Ok(Some(environment_row(1))));
    assert_eq!(r.environment_by_slug(project(1), "production").await, Ok(Some(environment_row(1))));
    assert_eq!(r.permission(org(1), PermissionId([1; 16])).await, Ok(Some(permission_row(1))));
    assert_eq!(r.permission_by_name(project(1), "routes.write").await, Ok(Some(permission_row(1))));
    assert_eq!(r.permissions_in(project(1)).await, Ok(vec![permission_row(1)]));
    assert_eq!(r.role(org(1), role(1)).await, Ok(Some(role_row(1))));
    assert_eq!(r.role_by_name(project(1), "editor").await, Ok(Some(role_row(1))));
    assert_eq!(r.roles_in(project(2)).await, Ok(vec![role_row(2)]));
    assert_eq!(r.service_account(org(1), ServiceAccountId([1; 16])).await, Ok(Some(service_account_row(1))));
    assert_eq!(r.service_account_by_name(project(1), "deployer").await, Ok(Some(service_account_row(1))));
    assert_eq!(r.consumer(org(1), consumer(1)).await, Ok(Some(consumer_row(1))));
    assert_eq!(r.consumer_by_external_id(project(1), "customer-1").await, Ok(Some(consumer_row(1))));
    assert_eq!(r.all_organizations().await.unwrap().len(), 2);
    assert_eq!(r.all_projects().await.unwrap().len(), 2);
    assert_eq!(r.all_environments().await.unwrap().len(), 2);
    assert_eq!(r.all_permissions().await.unwrap().len(), 2);
    assert_eq!(r.all_roles().await.unwrap().len(), 2);
    assert_eq!(r.all_service_accounts().await.unwrap().len(), 2);
    assert_eq!(r.all_consumers().await.unwrap().len(), 2);
}

pub(crate) async fn another_organization_finds_nothing(store: TestStore) {
    settle(&store, 1).await;
    settle(&store, 2).await;
    let mut r = read(&store).await;
    assert_eq!(r.project(org(2), project(1)).await, Ok(None));
    assert_eq!(r.environment(org(2), environment(1)).await, Ok(None));
    assert_eq!(r.permission(org(2), PermissionId([1; 16])).await, Ok(None));
    assert_eq!(r.role(org(2), role(1)).await, Ok(None));
    assert_eq!(r.service_account(org(2), ServiceAccountId([1; 16])).await, Ok(None));
    assert_eq!(r.consumer(org(2), consumer(1)).await, Ok(None));
    assert_eq!(r.projects(org(2), None, 10).await, Ok(vec![project_row(2)]));
    assert_eq!(r.environments(org(2), project(1), None, 10).await, Ok(vec![]));
    assert_eq!(r.permissions(org(2), project(1), None, 10).await, Ok(vec![]));
    assert_eq!(r.roles(org(2), project(1), None, 10).await, Ok(vec![]));
    assert_eq!(r.service_accounts(org(2), project(1), None, 10).await, Ok(vec![]));
    assert_eq!(r.consumers(org(2), project(1), None, 10).await, Ok(vec![]));
    assert_eq!(r.consumers(org(1), project(1), None, 10).await, Ok(vec![consumer_row(1)]));
    act!(store.store, |tx| {
        let foreign = org(2);
        assert!(!tx.update_project(&ProjectRow { organization_id: foreign, ..project_row(1) }, 1).await?);
        assert!(
            !tx.update_environment(&EnvironmentRow { organization_id: foreign, ..environment_row(1) }, 1)
                .await?
        );
        assert!(
            !tx.update_permission(&PermissionRow { organization_id: foreign, ..permission_row(1) }, 1)
                .await?
        );
        assert!(!tx.update_role(&RoleRow { organization_id: foreign, ..role_row(1) }, 1).await?);
        let account = ServiceAccountRow { organization_id: foreign, ..service_account_row(1) };
        assert!(!tx.update_service_account(&account, 1).await?);
        assert!(!tx.update_consumer(&ConsumerRow { organization_id: foreign, ..consumer_row(1) }, 1).await?);
        assert!(!tx.delete_environment(foreign, environment(1)).await?);
        assert!(!tx.delete_permission(foreign, PermissionId([1; 16])).await?);
        assert!(!tx.delete_role(foreign, role(1)).await?);
        assert!(!tx.delete_service_account(foreign, ServiceAccountId([1; 16])).await?);
        assert!(!tx.delete_consumer(foreign, consumer(1)).await?);
    })
    .unwrap();
}

pub(crate) async fn of_two_writers_one_wins(store: TestStore) {
    settle(&store, 1).await;
    let writers: Vec<_> = (0..8)
        .map(|n| {
            let store = store.store.clone();
            let row = RoleRow { name: format!("writer {n}"), version: 2, ..role_row(1) };
            tokio::spawn(async move { act!(store, |tx| tx.update_role(&row, 1).await?) })
        })
        .collect();
    let mut won = 0;
    for writer in writers {
        won += u32::from(writer.await.unwrap().unwrap());
    }
    assert_eq!(won, 1);
    let later = START.plus(1);
    let edited = act!(store.store, |tx| {
        let organization = OrganizationRow { name: "New".to_owned(), version: 2, ..organization_row(1) };
        let project = ProjectRow { slug: "new".to_owned(), updated_at: later, version: 2, ..project_row(1) };
        let environment = EnvironmentRow { name: "New".to_owned(), version: 2, ..environment_row(1) };
        let permission = PermissionRow { sensitive: false, version: 2, ..permission_row(1) };
        let account =
            ServiceAccountRow { ceiling: None, disabled: true, version: 2, ..service_account_row(1) };
        let consumer = ConsumerRow { quota: Some("{}".to_owned()), version: 2, ..consumer_row(1) };
        assert!(tx.update_organization(&organization, 1).await?);
        assert!(tx.update_project(&project, 1).await?);
        assert!(tx.update_environment(&environment, 1).await?);
        assert!(tx.update_permission(&permission, 1).await?);
        assert!(tx.update_service_account(&account, 1).await?);
        assert!(tx.update_consumer(&consumer, 1).await?);
        assert!(!tx.update_consumer(&consumer, 1).await?);
        (organization, project, environment, permission, account, consumer)
    })
    .unwrap();
    let mut r = read(&store).await;
    assert_eq!(r.role(org(1), role(1)).await.unwrap().unwrap().version, 2);
    assert_eq!(r.organization(org(1)).await, Ok(Some(edited.0)));
    assert_eq!(r.project(org(1), project(1)).await, Ok(Some(edited.1)));
    assert_eq!(r.environment(org(1), environment(1)).await, Ok(Some(edited.2)));
    assert_eq!(r.permission(org(1), PermissionId([1; 16])).await, Ok(Some(edited.3)));
    assert_eq!(r.service_account(org(1), ServiceAccountId([1; 16])).await, Ok(Some(edited.4)));
    assert_eq!(r.consumer(org(1), consumer(1)).await, Ok(Some(edited.5)));
}

pub(crate) async fn what_is_deleted_is_gone_and_what_is_used_stays(store: TestStore) {
    settle(&store, 1).await;
    let row = KeyRow { consumer_id: Some(consumer(1)), ..key_row(1, 1) };
    act!(store.store, |tx| tx.insert_key(&row, &[], &[role(1)], &[]).await?).unwrap();
    let db = &store.store;
    assert_eq!(
        act!(db, |tx| tx.delete_environment(org(1), environment(1)).await?),
        Err(StoreError::Referenced)
    );
    assert_eq!(act!(db, |tx| tx.delete_role(org(1), role(1)).await?), Err(StoreError::Referenced));
    assert_eq!(act!(db, |tx| tx.delete_consumer(org(1), consumer(1)).await?), Err(StoreError::Referenced));
    act!(db, |tx| {
        assert!(tx.delete_key(org(1), key_id(1)).await?);
        assert!(tx.delete_environment(org(1), environment(1)).await?);
        assert!(tx.delete_role(org(1), role(1)).await?);
        assert!(tx.delete_consumer(org(1), consumer(1)).await?);
        assert!(tx.delete_permission(org(1), PermissionId([1; 16])).await?);
        assert!(tx.delete_service_account(org(1), ServiceAccountId([1; 16])).await?);
        assert!(!tx.delete_role(org(1), role(1)).await?);
    })
    .unwrap();
    assert_eq!(read(&store).await.role(org(1), role(1)).await, Ok(None));
}

pub(crate) async fn pages_are_stable(store: TestStore) {
    settle(&store, 1).await;
    act!(store.store, |tx| {
        for n in 10..30u8 {
            // Four of them share each instant: the id decides.
            let created_at = START.plus(i64::from(n / 4));
            let name = format!("role {n}");
            tx.insert_role(&RoleRow { id: role(n), name, created_at, ..role_row(1) }).await?;
        }
    })
    .unwrap();
    let mut r = read(&store).await;
    let mut all = r.roles_in(project(1)).await.unwrap();
    all.reverse();
    let (mut after, mut seen) = (None::<(Micros, [u8; 16])>, Vec::new());
    loop {
        let page = r.roles(org(1), project(1), after, 6).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some((last.created_at, last.id.0));
        if seen.is_empty() {
            // What is added while somebody pages comes before the first page.
            let created_at = START.plus(99);
            let row = RoleRow { id: role(99), name: "late".to_owned(), created_at, ..role_row(1) };
            act!(store.store, |tx| tx.insert_role(&row).await?).unwrap();
        }
        seen.extend(page);
    }
    assert_eq!(seen, all);
    let mut r = read(&store).await;
    assert_eq!(r.organizations(None, 10).await, Ok(vec![organization_row(1)]));
    assert_eq!(r.organizations(Some((START, [0; 16])), 10).await, Ok(vec![]));
}

pub(crate) async fn peppers_and_installation_values_are_kept(store: TestStore) {
    let pepper = |version| PepperRow { version, wrapped: vec![1, 2, 3], created_at: START };
    act!(store.store, |tx| {
        tx.insert_pepper(&pepper(2)).await?;
        tx.insert_pepper(&pepper(1)).await?;
        tx.set_installation_value("name", "first").await?;
        tx.set_installation_value("name", "second").await?;
    })
    .unwrap();
    let taken = act!(store.store, |tx| tx.insert_pepper(&pepper(1)).await?);
    assert_eq!(taken, Err(StoreError::Unique(Unique::Id)));
    let mut r = read(&store).await;
    assert_eq!(r.peppers().await, Ok(vec![pepper(1), pepper(2)]));
    assert_eq!(r.installation_value("name").await, Ok(Some("second".to_owned())));
    assert_eq!(r.installation_value("Name").await, Ok(None));
}
