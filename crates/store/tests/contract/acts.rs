//! Acts: all or nothing, recorded, durable, and no harm to each other.

use crate::world::*;
use keystead_store::testing::TestStore;
use keystead_store::*;
use tokio::sync::oneshot;

pub(crate) async fn an_act_without_an_audit_record_is_refused_and_leaves_nothing(store: TestStore) {
    let refused: Outcome = store
        .store
        .act(|tx| {
            Box::pin(async move {
                tx.insert_organization(&organization_row(1)).await?;
                Ok(Acted { value: (), events: Vec::new(), changes: Vec::new() })
            })
        })
        .await;
    assert_eq!(refused, Err(StoreError::Unaudited));
    assert_eq!(read(&store).await.organization(org(1)).await, Ok(None));
}

pub(crate) async fn a_failing_act_leaves_nothing_and_harms_no_other(store: TestStore) {
    // The first holds the writer until all wait, so that on SQLite they share a group.
    let (go, wait) = oneshot::channel::<()>();
    let first = tokio::spawn({
        let store = store.store.clone();
        async move {
            act!(store, |tx| {
                let _ = wait.await;
                tx.insert_organization(&organization_row(200)).await?;
            })
        }
    });
    let others: Vec<_> = (0..40u8)
        .map(|n| {
            let store = store.store.clone();
            tokio::spawn(async move {
                act!(store, |tx| {
                    tx.insert_organization(&organization_row(n)).await?;
                    if n % 2 == 1 {
                        return Err(StoreError::Other("changed its mind".to_owned()));
                    }
                })
            })
        })
        .collect();
    tokio::task::yield_now().await;
    go.send(()).unwrap();
    assert_eq!(first.await.unwrap(), Ok(()));
    for (n, other) in (0..40u8).zip(others) {
        assert_eq!(other.await.unwrap().is_ok(), n % 2 == 0, "{n}");
        assert_eq!(read(&store).await.organization(org(n)).await.unwrap().is_some(), n % 2 == 0, "{n}");
    }
    // Of what failed, not even the record that it happened.
    let mut reader = read(&store).await;
    assert_eq!(reader.audit(&AuditFilter::of(org(1)), None, 1000).await.unwrap().len(), 21);
}

/// Also one of which a statement failed, and what waited to be written.
pub(crate) async fn a_part_of_an_act_is_undone_whole(store: TestStore) {
    settle(&store, 1).await;
    let acted = act!(store.store, |tx| {
        tx.insert_organization(&organization_row(2)).await?;
        let before = tx.mark().await?;
        tx.insert_organization(&organization_row(3)).await?;
        let refused = tx.insert_organization(&organization_row(2)).await;
        assert!(matches!(refused, Err(StoreError::Unique(_))), "{refused:?}");
        tx.undo(before).await?;
        let before = tx.mark().await?;
        tx.insert_policy(org(1), &[8; 32], "undone").await?;
        tx.undo(before).await?;
        let before = tx.mark().await?;
        tx.insert_organization(&organization_row(4)).await?;
        tx.keep(before).await?;
    });
    assert_eq!(acted, Ok(()));
    let mut reader = read(&store).await;
    for (n, stands) in [(2, true), (3, false), (4, true)] {
        assert_eq!(reader.organization(org(n)).await.unwrap().is_some(), stands, "{n}");
    }
    assert_eq!(reader.policy(org(1), &[8; 32]).await, Ok(None));
    // What failed and was kept all the same undoes the act.
    let refused = act!(store.store, |tx| {
        let before = tx.mark().await?;
        let _ = tx.insert_organization(&organization_row(2)).await;
        let _ = tx.keep(before).await;
    });
    assert!(matches!(refused, Err(StoreError::Unique(_))), "{refused:?}");
}

pub(crate) async fn a_statement_that_failed_undoes_the_act_that_went_on(store: TestStore) {
    settle(&store, 1).await;
    let refused = act!(store.store, |tx| {
        tx.insert_organization(&organization_row(2)).await?;
        let taken = tx.insert_organization(&OrganizationRow { id: org(3), ..organization_row(1) }).await;
        assert_eq!(taken, Err(StoreError::Unique(Unique::OrganizationSlug)));
        // After a failure nothing else runs, and the act cannot succeed.
        assert!(tx.insert_organization(&organization_row(4)).await.is_err());
    });
    assert_eq!(refused, Err(StoreError::Unique(Unique::OrganizationSlug)));
    let mut reader = read(&store).await;
    for n in 2..=4 {
        assert_eq!(reader.organization(org(n)).await, Ok(None), "{n}");
    }
    settle(&store, 5).await;
}

/// What only writes may wait for the next statement: never longer than its own act.
pub(crate) async fn what_waits_to_be_written_shares_its_acts_end(store: TestStore) {
    settle(&store, 1).await;
    let meter = MeterId::Lineage(key_id(1));
    let row = move || crate::ledger::meter_row(meter, 5);
    let refused = act!(store.store, |tx| {
        tx.insert_meter(&row()).await?;
        // On PostgreSQL told here, on SQLite at the end; not both times forgotten.
        let _ = tx.insert_meter(&row()).await;
    });
    assert!(refused.is_err());
    let changed_its_mind = act!(store.store, |tx| {
        tx.insert_meter(&row()).await?;
        if tx.key(org(1), key_id(9)).await?.is_none() {
            tx.insert_meter(&crate::ledger::meter_row(MeterId::Lineage(key_id(9)), 5)).await?;
            return Err(StoreError::Other("changed its mind".to_owned()));
        }
    });
    assert!(changed_its_mind.is_err());
    let panicked: Outcome = store
        .store
        .act(move |tx| {
            Box::pin(async move {
                tx.insert_meter(&row()).await?;
                panic!("an expected panic of a test");
            })
        })
        .await;
    assert!(panicked.is_err());
    settle(&store, 2).await;
    let mut reader = read(&store).await;
    for key in [1, 9] {
        assert_eq!(reader.meter(MeterId::Lineage(key_id(key))).await, Ok(None));
    }
    act!(store.store, |tx| {
        tx.insert_meter(&row()).await?;
        assert_eq!(tx.meter(meter).await?, Some(row()));
    })
    .unwrap();
}

pub(crate) async fn a_panicking_act_leaves_nothing_and_the_store_works_on(store: TestStore) {
    let refused: Outcome = store
        .store
        .act(|tx| {
            Box::pin(async move {
                tx.insert_organization(&organization_row(1)).await?;
                panic!("an expected panic of a test");
            })
        })
        .await;
    assert!(matches!(refused, Err(StoreError::Other(_))), "{refused:?}");
    settle(&store, 1).await;
}

pub(crate) async fn concurrent_acts_all_commit(store: TestStore) {
    let acts: Vec<_> = (0..200u8)
        .map(|n| {
            let store = store.store.clone();
            tokio::spawn(async move { act!(store, |tx| tx.insert_organization(&organization_row(n)).await?) })
        })
        .collect();
    for act in acts {
        act.await.unwrap().unwrap();
    }
    let mut reader = read(&store).await;
    assert_eq!(reader.all_organizations().await.unwrap().len(), 200);
    assert_eq!(reader.audit(&AuditFilter::of(org(1)), None, 1000).await.unwrap().len(), 200);
}

pub(crate) async fn an_act_outlives_its_caller(store: TestStore) {
    let (begun, is_begun) = oneshot::channel::<()>();
    let (go, wait) = oneshot::channel::<()>();
    let (done, is_done) = oneshot::channel::<()>();
    let caller = tokio::spawn({
        let store = store.store.clone();
        async move {
            act!(store, |tx| {
                let _ = begun.send(());
                let _ = wait.await;
                tx.insert_organization(&organization_row(1)).await?;
                let _ = done.send(());
            })
        }
    });
    is_begun.await.unwrap();
    caller.abort();
    assert!(caller.await.unwrap_err().is_cancelled());
    go.send(()).unwrap();
    is_done.await.unwrap();
    // An act that needs the first one's row waits for it on SQLite, in its queue; on PostgreSQL
    // the closing store waits.
    let mut store = store;
    store.reopen().await;
    assert!(read(&store).await.organization(org(1)).await.unwrap().is_some());
}

pub(crate) async fn every_change_has_a_feed_row(store: TestStore) {
    let kinds = [
        ChangeKind::Organization,
        ChangeKind::Project,
        ChangeKind::Environment,
        ChangeKind::Permission,
        ChangeKind::Role,
        ChangeKind::ServiceAccount,
        ChangeKind::Consumer,
    ];
    let mut changes: Vec<Change> = kinds.iter().map(|kind| Change::new(org(1), *kind, [9; 16])).collect();
    changes.push(Change::new(org(1), ChangeKind::Key, key_id(1).as_bytes()));
    let expected = changes.clone();
    let acted: Outcome = store
        .store
        .act(move |_| Box::pin(async move { Ok(Acted { value: (), events: vec![event(1)], changes }) }))
        .await;
    acted.unwrap();
    let refused: Outcome = store
        .store
        .act(|_| {
            let changes = vec![Change::new(org(1), ChangeKind::Role, [8; 16])];
            Box::pin(async move { Ok(Acted { value: (), events: Vec::new(), changes }) })
        })
        .await;
    assert_eq!(refused, Err(StoreError::Unaudited));
    let rows = read(&store).await.feed(0, 100).await.unwrap();
    let heard: Vec<_> =
        rows.iter().map(|row| Change::new(row.organization_id, row.kind, &row.target)).collect();
    assert_eq!(heard, expected);
    assert!(rows.iter().all(|row| row.at == testing::START));
    assert!(rows.is_sorted_by(|a, b| a.seq < b.seq));
    let rest = read(&store).await.feed(rows[5].seq, 1).await.unwrap();
    assert_eq!(rest, rows[6..7]);
}

pub(crate) async fn what_was_committed_is_there_after_a_restart(mut store: TestStore) {
    settle(&store, 1).await;
    store.reopen().await;
    assert_eq!(read(&store).await.organization(org(1)).await, Ok(Some(organization_row(1))));
}

pub(crate) async fn a_closed_store_refuses(store: TestStore) {
    store.store.close().await;
    let refused = act!(store.store, |tx| tx.insert_organization(&organization_row(1)).await?);
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    assert!(matches!(store.store.read().await.map(|_| ()), Err(StoreError::Unavailable(_))));
}
