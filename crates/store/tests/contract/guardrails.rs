//! Guardrails, and what is counted for them.

use crate::world::*;
use keystead_domain::ids::*;
use keystead_store::testing::{START, TestStore};
use keystead_store::*;

fn row(n: u8, of_project: bool) -> GuardrailsRow {
    GuardrailsRow {
        id: if of_project { project(n).0 } else { org(n).0 },
        organization_id: org(n),
        project_id: of_project.then(|| project(n)),
        body: format!(r#"{{"n":{n}}}"#),
        updated_at: START,
        version: 1,
    }
}

/// The guardrails of organization `n`.
pub(crate) fn guardrails_of(n: u8) -> GuardrailsRow {
    row(n, false)
}

/// The rows of organization `n`; its project's id is another than its own.
fn rows(n: u8) -> [GuardrailsRow; 2] {
    let of_project = GuardrailsRow { id: project(n).0, ..row(n, true) };
    [row(n, false), of_project]
}

pub(crate) async fn guardrails_are_set_once_and_changed_by_version(store: TestStore) {
    settle(&store, 1).await;
    settle(&store, 2).await;
    // Ids of this world are alike; an organization and its project share no id elsewhere.
    let [organizations, _] = rows(1);
    let [_, projects] = rows(2);
    let (a, b) = (organizations.clone(), projects.clone());
    act!(store.store, |tx| {
        assert!(tx.insert_guardrails(&a).await?);
        assert!(!tx.insert_guardrails(&a).await?);
        assert!(tx.insert_guardrails(&b).await?);
    })
    .unwrap();
    let mut r = read(&store).await;
    assert_eq!(r.organization_guardrails(org(1)).await, Ok(Some(organizations.clone())));
    assert_eq!(r.organization_guardrails(org(2)).await, Ok(None));
    assert_eq!(r.project_guardrails(org(2), project(2)).await, Ok(Some(projects)));
    assert_eq!(r.project_guardrails(org(1), project(2)).await, Ok(None));
    assert_eq!(r.project_guardrails(org(1), project(1)).await, Ok(None));
    let in_force =
        async |r: &mut keystead_store::Reader, of| r.guardrails_in_force(of, project(2)).await.unwrap().len();
    assert_eq!((in_force(&mut r, org(1)).await, in_force(&mut r, org(2)).await), (1, 1));
    let changed =
        GuardrailsRow { body: "{}".to_owned(), updated_at: minutes(1), version: 2, ..organizations };
    let new = changed.clone();
    act!(store.store, |tx| {
        assert!(!tx.update_guardrails(&new, 2).await?);
        let foreign = GuardrailsRow { organization_id: org(2), ..new.clone() };
        assert!(!tx.update_guardrails(&foreign, 1).await?);
        assert!(tx.update_guardrails(&new, 1).await?);
    })
    .unwrap();
    assert_eq!(read(&store).await.organization_guardrails(org(1)).await, Ok(Some(changed)));
}

pub(crate) async fn lineages_that_live_are_counted(store: TestStore) {
    settle(&store, 1).await;
    add_key(&store, key_row(1, 1)).await;
    add_key(&store, KeyRow { lineage_id: key_id(1), ..key_row(1, 2) }).await;
    add_key(&store, KeyRow { expires_at: Some(minutes(2)), ..key_row(1, 3) }).await;
    add_key(&store, KeyRow { expires_at: Some(minutes(1)), ..key_row(1, 4) }).await;
    add_key(&store, KeyRow { revoked_at: Some(START), ..key_row(1, 5) }).await;
    add_key(&store, KeyRow { disabled: true, ..key_row(1, 6) }).await;
    add_key(&store, KeyRow { owner: OwnerId::Consumer(consumer(1)), ..key_row(1, 7) }).await;
    let mut r = read(&store).await;
    let now = minutes(1);
    let mut count = async |owner, number| {
        r.other_lineages_of_owner(owner, project(1), key_id(number), now).await.unwrap()
    };
    assert_eq!(count(service_account(1), 99).await, 3);
    assert_eq!(count(service_account(1), 1).await, 2);
    assert_eq!(count(OwnerId::Consumer(consumer(1)), 99).await, 1);
    assert_eq!(r.other_lineages_of_owner(service_account(1), project(2), key_id(9), now).await, Ok(0));
    act!(store.store, |tx| {
        tx.hold_owner(org(1), service_account(1)).await?;
        tx.hold_owner(org(1), OwnerId::Consumer(consumer(1))).await?;
    })
    .unwrap();
    assert_eq!(read(&store).await.consumer(org(1), consumer(1)).await, Ok(Some(consumer_row(1))));
}

pub(crate) async fn kinds_that_hold_a_role_are_named(store: TestStore) {
    settle(&store, 1).await;
    let keys = [
        key_row(1, 1),
        key_row(1, 2),
        KeyRow { kind: "partner".to_owned(), ..key_row(1, 3) },
        KeyRow { kind: "public".to_owned(), revoked_at: Some(START), ..key_row(1, 4) },
    ];
    act!(store.store, |tx| {
        tx.hold_role(org(1), role(1)).await?;
        for key in &keys {
            tx.insert_key(key, &[], &[role(1)], &[]).await?;
        }
    })
    .unwrap();
    let mut r = read(&store).await;
    let mut kinds = r.kinds_with_role(org(1), role(1)).await.unwrap();
    kinds.sort();
    assert_eq!(kinds, ["partner", "private"]);
    assert_eq!(r.kinds_with_role(org(2), role(1)).await, Ok(vec![]));
    assert_eq!(r.role(org(1), role(1)).await, Ok(Some(role_row(1))));
}
