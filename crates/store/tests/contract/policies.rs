//! Policies that organizations wrote, and the tags that they ask for.

use crate::log::{Now, backup_of, begin, log_in, logged_rows, restored};
use crate::world::*;
use keystead_domain::ids::*;
use keystead_domain::time::SECOND;
use keystead_store::testing::{START, TestStore};
use keystead_store::*;

fn id(n: u8) -> AccessPolicyId {
    AccessPolicyId([n; 16])
}

fn policy_row(of: u8, n: u8) -> AccessPolicyRow {
    AccessPolicyRow {
        id: id(n),
        organization_id: org(of),
        project_id: None,
        name: format!("policy-{n}"),
        description: "Nothing at night".to_owned(),
        body: "forbid (principal, action, resource);".to_owned(),
        enabled: true,
        created_at: START.plus(i64::from(n) * SECOND),
        updated_at: START,
        version: 1,
    }
}

pub(crate) async fn a_policy_is_its_organizations_and_keeps_old_binaries_away(store: TestStore) {
    let oldest = async |store: &TestStore| {
        read(store).await.installation_value("schema_oldest_binary").await.unwrap().unwrap()
    };
    settle(&store, 1).await;
    settle(&store, 2).await;
    assert_eq!(oldest(&store).await, "19");
    act!(store.store, |tx| {
        tx.hold_access_policies(org(1)).await?;
        tx.insert_access_policy(&policy_row(1, 1)).await?;
    })
    .unwrap();
    assert_eq!(oldest(&store).await, "22");
    let mut r = read(&store).await;
    assert_eq!(r.access_policy(org(1), id(1)).await, Ok(Some(policy_row(1, 1))));
    assert_eq!(r.access_policy(org(2), id(1)).await, Ok(None));
    assert_eq!(r.access_policy_by_name(org(1), "policy-1").await, Ok(Some(policy_row(1, 1))));
    assert_eq!(r.access_policy_by_name(org(1), "POLICY-1").await, Ok(None));
    assert_eq!(r.access_policy_by_name(org(2), "policy-1").await, Ok(None));
    drop(r);
    let again = AccessPolicyRow { id: id(9), ..policy_row(1, 1) };
    let again = act!(store.store, |tx| tx.insert_access_policy(&again).await?);
    assert_eq!(again, Err(StoreError::Unique(Unique::AccessPolicyName)));
    let changed = AccessPolicyRow { enabled: false, version: 2, ..policy_row(1, 1) };
    let others = AccessPolicyRow { organization_id: org(2), ..changed.clone() };
    let expected = changed.clone();
    let done = act!(store.store, |tx| (
        tx.update_access_policy(&others, 1).await?,
        tx.update_access_policy(&changed, 2).await?,
        tx.update_access_policy(&changed, 1).await?,
    ));
    assert_eq!(done, Ok((false, false, true)));
    let mut r = read(&store).await;
    assert_eq!(r.access_policy(org(1), id(1)).await, Ok(Some(expected)));
    assert_eq!(r.access_policies_in_force(org(1)).await, Ok(Vec::new()));
    drop(r);
    let gone = act!(store.store, |tx| (
        tx.delete_access_policy(org(2), id(1), 2).await?,
        tx.delete_access_policy(org(1), id(1), 1).await?,
        tx.delete_access_policy(org(1), id(1), 2).await?,
    ));
    assert_eq!(gone, Ok((false, false, true)));
    assert_eq!(read(&store).await.access_policy(org(1), id(1)).await, Ok(None));
}

pub(crate) async fn policies_are_counted_and_listed_by_what_they_are_for(store: TestStore) {
    settle(&store, 1).await;
    settle(&store, 2).await;
    let of_project = AccessPolicyRow { project_id: Some(project(1)), ..policy_row(1, 2) };
    let row = of_project.clone();
    act!(store.store, |tx| {
        tx.insert_access_policy(&policy_row(1, 1)).await?;
        tx.insert_access_policy(&row).await?;
        tx.insert_access_policy(&policy_row(2, 3)).await?;
    })
    .unwrap();
    let mut r = read(&store).await;
    assert_eq!(r.count_access_policies(org(1), None).await, Ok(1));
    assert_eq!(r.count_access_policies(org(1), Some(project(1))).await, Ok(1));
    assert_eq!(r.count_access_policies(org(2), Some(project(1))).await, Ok(0));
    let all = r.access_policies(org(1), None, None, 9).await.unwrap();
    assert_eq!(all, [of_project.clone(), policy_row(1, 1)]);
    let after = Some((of_project.created_at, of_project.id.0));
    assert_eq!(r.access_policies(org(1), None, after, 9).await.unwrap(), [policy_row(1, 1)]);
    assert_eq!(
        r.access_policies(org(1), Some(project(1)), None, 9).await.unwrap(),
        std::slice::from_ref(&of_project)
    );
    assert_eq!(r.access_policies(org(2), Some(project(1)), None, 9).await.unwrap(), []);
    assert_eq!(r.access_policies_in_force(org(1)).await.unwrap().len(), 2);
    assert_eq!(r.all_access_policies().await.unwrap().len(), 3);
}

pub(crate) async fn tags_are_loaded_key_by_key(store: TestStore) {
    settle(&store, 1).await;
    let owned = |tags: &[&str]| tags.iter().map(|tag| (*tag).to_owned()).collect::<Vec<_>>();
    act!(store.store, |tx| {
        for n in 20..24 {
            tx.insert_key(&key_row(1, n), &[], &[], &[]).await?;
        }
        tx.set_key_tags(key_id(20), &["b".to_owned(), "a".to_owned()]).await?;
        tx.set_key_tags(key_id(22), &["ci".to_owned()]).await?;
    })
    .unwrap();
    let mut found = Vec::new();
    read(&store).await.load_tags(|key, tags| found.push((key, tags))).await.unwrap();
    found.retain(|(key, _)| *key >= key_id(20));
    assert_eq!(found, [(key_id(20), owned(&["a", "b"])), (key_id(22), owned(&["ci"]))]);
}

pub(crate) async fn backup_and_log_have_policies(store: TestStore) {
    let folder = tempfile::tempdir().unwrap();
    let path = log_in(&folder, "a.log");
    begin(&store, Some(&path), 1).await;
    settle(&store, 1).await;
    act!(store.store, |tx| {
        tx.insert_access_policy(&policy_row(1, 1)).await?;
        tx.insert_access_policy(&policy_row(1, 2)).await?;
    })
    .unwrap();
    let backup = backup_of(&store.database, store.clock_now()).await;
    act!(store.store, |tx| {
        let changed = AccessPolicyRow { enabled: false, version: 2, ..policy_row(1, 1) };
        assert!(tx.update_access_policy(&changed, 1).await?);
        assert!(tx.delete_access_policy(org(1), id(2), 1).await?);
        tx.insert_access_policy(&policy_row(1, 3)).await?;
    })
    .unwrap();
    store.store.end_session().await.unwrap();
    restored(&backup, &[path], &logged_rows(&store.database).await).await;
}
