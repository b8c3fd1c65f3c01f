//! The keys by which upstreams are told, signed, whose request they have.

use crate::log::{Now, backup_of, begin, log_in, logged_rows, restore};
use crate::world::*;
use keystead_domain::ids::SigningKeyId;
use keystead_domain::time::DAY;
use keystead_store::testing::{START, TestStore, empty_places};
use keystead_store::*;

fn identity_key_row(n: u8) -> IdentityKeyRow {
    IdentityKeyRow {
        id: SigningKeyId([n; 16]),
        sealed: vec![n; 40],
        created_at: START,
        signs_from: START.plus(-i64::from(n) * DAY),
    }
}

async fn add(store: &TestStore, n: u8) {
    let added: Outcome = store
        .store
        .bookkeeping(move |ledger| {
            Box::pin(async move { ledger.insert_identity_key(&identity_key_row(n)).await })
        })
        .await;
    added.unwrap();
}

async fn delete(store: &TestStore, n: u8) -> bool {
    let deleted: Outcome<bool> = store
        .store
        .bookkeeping(move |ledger| {
            Box::pin(async move { ledger.delete_identity_key(SigningKeyId([n; 16])).await })
        })
        .await;
    deleted.unwrap()
}

pub(crate) async fn keys_come_in_the_order_in_which_they_sign(store: TestStore) {
    assert_eq!(read(&store).await.identity_keys().await, Ok(Vec::new()));
    add(&store, 1).await;
    add(&store, 2).await;
    let expected = vec![identity_key_row(2), identity_key_row(1)];
    assert_eq!(read(&store).await.identity_keys().await, Ok(expected));
    assert!(delete(&store, 2).await);
    assert!(!delete(&store, 2).await);
    assert_eq!(read(&store).await.identity_keys().await, Ok(vec![identity_key_row(1)]));
}

/// Else a restore would sign by a key that is long over, and with a root key from before the backup.
pub(crate) async fn backup_and_log_have_identity_keys(store: TestStore) {
    let folder = tempfile::tempdir().unwrap();
    let path = log_in(&folder, "a.log");
    begin(&store, Some(&path), 1).await;
    add(&store, 1).await;
    add(&store, 2).await;
    let backup = backup_of(&store.database, store.clock_now()).await;
    add(&store, 3).await;
    assert!(delete(&store, 2).await);
    store.store.end_session().await.unwrap();
    let expected = logged_rows(&store.database).await;
    assert_eq!(expected.iter().filter(|row| row.starts_with("identity_keys")).count(), 2, "{expected:?}");
    for place in empty_places().await {
        restore(&place, &backup, std::slice::from_ref(&path)).await.unwrap();
        assert_eq!(logged_rows(&place.database).await, expected);
    }
}
