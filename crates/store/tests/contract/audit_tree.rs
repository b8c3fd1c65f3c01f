//! The audit's tree: places, checkpoints, retention.

use crate::log::{Now, backup_of, begin, log_in, logged_rows, restored};
use crate::world::*;
use keystead_domain::ids::*;
use keystead_store::testing::{TestStore, tamper};
use keystead_store::*;

fn placed(n: u8, position: i64) -> Placed {
    Placed { id: AuditId([n; 16]), position, salt: [n; 16], leaf: [n; 32] }
}

/// Records of the first organization, a minute apart.
async fn record(store: &TestStore, numbers: std::ops::Range<u8>) {
    let events = numbers.map(|n| Event { id: AuditId([n; 16]), at: minutes(i64::from(n)), ..event(1) });
    let events: Vec<Event> = events.collect();
    let acted: Outcome = store
        .store
        .act(move |_| Box::pin(async move { Ok(Acted { value: (), events, changes: Vec::new() }) }))
        .await;
    acted.unwrap();
}

/// Gives the next places to what waits, and a tree of that size.
async fn grow(store: &TestStore, size: i64) -> Outcome {
    store
        .store
        .bookkeeping(move |ledger| {
            Box::pin(async move {
                let tree = ledger.lock_audit_tree(org(1)).await?;
                let waiting = ledger.audit_waiting(org(1)).await?;
                let all: Vec<Placed> =
                    waiting.iter().zip(tree.size..).map(|(row, at)| placed(row.id.0[0], at)).collect();
                ledger.place_audit(&all).await?;
                let edge = vec![u8::try_from(size).unwrap(); 32];
                ledger.put_audit_tree(&AuditTreeRow { size, edge, verifier: "v".into(), ..tree }).await
            })
        })
        .await
}

async fn sign(store: &TestStore, size: i64) {
    let row = CheckpointRow {
        id: CheckpointId([u8::try_from(size).unwrap(); 16]),
        organization_id: org(1),
        size,
        note: format!("note {size}"),
        created_at: minutes(size),
    };
    let signed: Outcome = store
        .store
        .bookkeeping(move |ledger| Box::pin(async move { ledger.insert_checkpoint(&row).await }))
        .await;
    signed.unwrap();
}

pub(crate) async fn records_get_their_places_once(store: TestStore) {
    assert_eq!(read(&store).await.audit_waits().await, Ok(vec![]));
    assert_eq!(read(&store).await.audit_tree(org(1)).await, Ok(None));
    // More than one statement's rows, of each of its sizes.
    record(&store, 1..81).await;
    assert_eq!(read(&store).await.audit_waits().await, Ok(vec![org(1)]));
    assert_eq!(read(&store).await.audit_waiting(org(2)).await, Ok(vec![]));
    let action = event(1).action;
    assert_eq!(read(&store).await.audit_waiting_of(org(1), &action).await.unwrap().len(), 80);
    assert_eq!(read(&store).await.audit_waiting_of(org(1), "another").await, Ok(vec![]));
    assert_eq!(read(&store).await.audited_organizations().await, Ok([].into()));
    grow(&store, 80).await.unwrap();
    assert_eq!(read(&store).await.audit_waits().await, Ok(vec![]));
    assert_eq!(read(&store).await.audited_organizations().await, Ok([org(1)].into()));
    assert!(read(&store).await.founded_organizations().await.is_ok());
    let tree = read(&store).await.audit_tree(org(1)).await.unwrap().unwrap();
    assert_eq!(read(&store).await.audit_trees().await, Ok(vec![tree.clone()]));
    assert_eq!((tree.size, tree.verifier.as_str()), (80, "v"));
    let rows = read(&store).await.audit_sequenced(org(1), 78, 10).await.unwrap();
    let found: Vec<_> =
        rows.iter().map(|row| (row.row.id.0[0], row.position, row.salt[0], row.leaf[31])).collect();
    assert_eq!(found, [(79, 78, 79, 79), (80, 79, 80, 80)]);
    assert_eq!(read(&store).await.audit_sequenced(org(2), 0, 10).await, Ok(vec![]));
    // A second place, or another's.
    for again in [placed(80, 80), placed(99, 80)] {
        let refused: Outcome = store
            .store
            .bookkeeping(move |ledger| Box::pin(async move { ledger.place_audit(&[again]).await }))
            .await;
        assert_eq!(refused, Err(StoreError::Conflict));
    }
    record(&store, 81..82).await;
    let taken: Outcome = store
        .store
        .bookkeeping(move |ledger| Box::pin(async move { ledger.place_audit(&[placed(81, 79)]).await }))
        .await;
    assert!(matches!(taken, Err(StoreError::Unique(_))), "{taken:?}");
}

/// Of two nodes that grow a tree at once the second sees what the first did.
pub(crate) async fn one_at_a_time_grows_a_tree(store: TestStore) {
    record(&store, 1..5).await;
    let (one, other) = tokio::join!(grow(&store, 4), grow(&store, 4));
    one.and(other).unwrap();
    let rows = read(&store).await.audit_sequenced(org(1), 0, 10).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.position).collect::<Vec<_>>(), [0, 1, 2, 3]);
    assert_eq!(read(&store).await.grown_audit_trees(None, 10).await.unwrap().len(), 1);
    assert_eq!(read(&store).await.grown_audit_trees(Some(org(1)), 10).await, Ok(vec![]));
    sign(&store, 4).await;
    assert_eq!(read(&store).await.grown_audit_trees(None, 10).await, Ok(vec![]));
    let all = read(&store).await.audit_checkpoints(org(1), None, 10).await.unwrap();
    assert_eq!(all.iter().map(|row| row.note.as_str()).collect::<Vec<_>>(), ["note 4"]);
    assert_eq!(read(&store).await.audit_checkpoints(org(2), None, 10).await, Ok(vec![]));
}

/// One a day stays, each day's last.
pub(crate) async fn checkpoints_are_thinned(store: TestStore) {
    record(&store, 1..5).await;
    grow(&store, 4).await.unwrap();
    for size in [1, 2, 3] {
        sign(&store, size).await;
    }
    let passed_since =
        async |since, before| read(&store).await.passed_checkpoints(since, before, 10).await.unwrap();
    let passed = async |before| passed_since(minutes(0), before).await;
    assert_eq!(passed(minutes(1)).await, []);
    assert_eq!(passed(minutes(2)).await, [CheckpointId([1; 16])]);
    assert_eq!(passed(minutes(9)).await, [1, 2].map(|n| CheckpointId([n; 16])));
    assert_eq!(passed_since(minutes(2), minutes(9)).await, [CheckpointId([2; 16])]);
    let gone: Outcome<bool> = store
        .store
        .bookkeeping(|ledger| Box::pin(async move { ledger.delete_checkpoint(CheckpointId([1; 16])).await }))
        .await;
    assert_eq!(gone, Ok(true));
    assert_eq!(passed(minutes(9)).await, [CheckpointId([2; 16])]);
}

pub(crate) async fn retention_leaves_what_is_not_vouched_for(store: TestStore) {
    record(&store, 1..7).await;
    grow(&store, 6).await.unwrap();
    let kept_from = async |before, now| {
        read(&store).await.audit_kept_from(org(1), minutes(before), minutes(now)).await.unwrap()
    };
    assert_eq!(kept_from(9, 10).await, 0, "nothing is vouched for");
    sign(&store, 4).await;
    assert_eq!(kept_from(9, 10).await, 4);
    assert_eq!(kept_from(3, 10).await, 2);
    assert_eq!(read(&store).await.audit_newest(org(1)).await, Ok(minutes(6)));
    assert_eq!(read(&store).await.audit_newest(org(2)).await, Ok(minutes(0).plus(-minutes(0).0)));
    assert_eq!(read(&store).await.audit_deleted_to(org(1)).await, Ok(0));
    // A clock was ahead when the second was made, which stands among old ones, and then the third, which does not.
    let at = |n: i64, place: i64| format!("UPDATE audit SET at = {} WHERE position = {place}", minutes(n).0);
    tamper(&store.database, &at(1_000, 1)).await;
    assert_eq!(kept_from(4, 10).await, 3);
    tamper(&store.database, &at(1_000, 2)).await;
    assert_eq!(kept_from(4, 10).await, 1);
    for place in [1, 2] {
        tamper(&store.database, &at(place + 1, place)).await;
    }
    let old = read(&store).await.audit_before(org(1), 2, 10).await.unwrap();
    assert_eq!(old, [(AuditId([1; 16]), 0), (AuditId([2; 16]), 1)]);
    act!(store.store, |tx| {
        for (id, _) in old {
            tx.delete_audit(id).await?;
        }
        // It is no longer there: nothing to do.
        tx.delete_audit(AuditId([1; 16])).await?;
    })
    .unwrap();
    assert_eq!(read(&store).await.audit_deleted_to(org(1)).await, Ok(2));
    let left = read(&store).await.audit_deleted(org(1), 0, 10).await.unwrap();
    assert_eq!(left, [Leaf { position: 0, leaf: vec![1; 32] }, Leaf { position: 1, leaf: vec![2; 32] }]);
    let leaves = read(&store).await.audit_leaves(org(1), 1, 4).await.unwrap();
    assert_eq!(
        leaves.iter().map(|leaf| (leaf.position, leaf.leaf[0])).collect::<Vec<_>>(),
        [(1, 2), (2, 3), (3, 4)]
    );
    let whole = read(&store).await.audit_sequenced(org(1), 0, 10).await.unwrap();
    assert_eq!(whole.first().map(|row| row.position), Some(2));
}

/// A restore that gave records other places would contradict the checkpoints that are held elsewhere.
pub(crate) async fn the_tree_is_in_the_log(store: TestStore) {
    let folder = tempfile::tempdir().unwrap();
    let path = log_in(&folder, "a.log");
    begin(&store, Some(&path), 1).await;
    record(&store, 1..3).await;
    let backup = backup_of(&store.database, store.clock_now()).await;
    grow(&store, 2).await.unwrap();
    sign(&store, 2).await;
    record(&store, 3..5).await;
    grow(&store, 4).await.unwrap();
    act!(store.store, |tx| {
        tx.delete_audit(AuditId([1; 16])).await?;
    })
    .unwrap();
    store.store.end_session().await.unwrap();
    restored(&backup, &[path], &logged_rows(&store.database).await).await;
}
