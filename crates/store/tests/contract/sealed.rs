//! What the root key seals: every column of it is known, found by who sealed it, and replaced.

use crate::world::*;
use keystead_store::testing::{START, TestStore};
use keystead_store::*;

/// Columns that are called as if the root key had sealed them, and that something else has.
const SEALED_OTHERWISE: &[(&str, &str)] = &[];

/// LESSONS 38: a column that a rotation did not know would be lost with the old key.
pub(crate) async fn every_sealed_column_is_listed_lessons_38(store: TestStore) {
    let columns = match &store.database {
        Database::Sqlite(_) => {
            "SELECT t.name || '.' || c.name FROM sqlite_master t JOIN pragma_table_info(t.name) c \
             WHERE t.type = 'table' AND c.type = 'BLOB' \
             AND (c.name LIKE 'sealed%' OR c.name LIKE 'wrapped%' OR c.name LIKE '%_sealed')"
        }
        Database::Postgres(_) => {
            "SELECT (table_name || '.' || column_name)::text FROM information_schema.columns \
             WHERE table_schema = current_schema() AND data_type = 'bytea' \
             AND (column_name LIKE 'sealed%' OR column_name LIKE 'wrapped%' OR column_name LIKE '%_sealed')"
        }
    };
    let mut found = crate::opening::ask(&store, columns).await;
    found.retain(|column| !SEALED_OTHERWISE.iter().any(|(name, _)| name == column));
    let mut listed: Vec<String> =
        SEALED.iter().map(|sealed| format!("{}.{}", sealed.table, sealed.column)).collect();
    found.sort_unstable();
    listed.sort_unstable();
    assert_eq!(found, listed, "tables/sealed.rs must list every column that the root key seals");
}

pub(crate) async fn sealed_values_are_found_by_their_label_and_replaced(store: TestStore) {
    let value = |label: u8, rest: u8| [[label; 9].as_slice(), &[rest; 4]].concat();
    for version in 1..=3 {
        let (label, rest) = if version == 3 { (2, 3) } else { (1, 1) };
        let row = PepperRow { version, wrapped: value(label, rest), created_at: START };
        act!(store.store, |tx| tx.insert_pepper(&row).await?).unwrap();
    }
    let peppers = SEALED.iter().find(|sealed| sealed.table == "peppers").unwrap();
    for sealed in SEALED {
        // Each statement of the list runs.
        let mut r = read(&store).await;
        r.sealed_labels(sealed).await.unwrap();
        r.sealed_otherwise(sealed, &[9; 9], 1).await.unwrap();
        drop(r);
        let rows = [SealedRow::Number(99), SealedRow::Key(org(9), key_id(999)), SealedRow::Thing([9; 16])];
        let row = rows.into_iter().find(|row| (sealed.place)(row).is_some()).unwrap();
        let none: Outcome<bool> = store
            .store
            .bookkeeping(move |l| Box::pin(async move { l.reseal(sealed, &row, b"no", b"yes").await }))
            .await;
        assert_eq!(none, Ok(false));
    }
    let mut r = read(&store).await;
    assert_eq!(r.sealing_label().await, Ok(Some(vec![2; 9])), "the newest one's");
    let mut labels = r.sealed_labels(peppers).await.unwrap();
    labels.sort_unstable();
    assert_eq!(labels, [(vec![1; 9], 2), (vec![2; 9], 1)]);
    let waiting = r.sealed_otherwise(peppers, &[2; 9], 1).await.unwrap();
    assert_eq!(waiting, [(SealedRow::Number(1), value(1, 1))]);
    drop(r);
    let reseal = async |before: Vec<u8>| {
        let after = value(2, 7);
        let done: Outcome<bool> = store
            .store
            .bookkeeping(move |l| {
                Box::pin(async move { l.reseal(peppers, &SealedRow::Number(1), &before, &after).await })
            })
            .await;
        done.unwrap()
    };
    assert!(reseal(value(1, 1)).await);
    assert!(!reseal(value(1, 1)).await, "somebody was there before");
    let mut r = read(&store).await;
    assert_eq!(r.sealed_otherwise(peppers, &[2; 9], 9).await.unwrap(), [(SealedRow::Number(2), value(1, 1))]);
}

pub(crate) async fn what_is_decided_once_stays(store: TestStore) {
    for value in ["first", "second"] {
        let decided: Outcome = store
            .store
            .bookkeeping(move |l| {
                Box::pin(async move { l.decide_installation_value("decided", value).await })
            })
            .await;
        decided.unwrap();
    }
    assert_eq!(read(&store).await.installation_value("decided").await, Ok(Some("first".into())));
}
