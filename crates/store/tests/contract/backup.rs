//! Backups: of one instant, whole or refused, and the same on either engine.

use crate::ledger::{meter_row, seen_row};
use crate::world::*;
use keystead_domain::time::ManualClock;
use keystead_store::backup::{BackupError, Restored, Restoring, dump, left_out};
use keystead_store::testing::{START, TestPlace, TestStore, empty_places};
use keystead_store::*;
use serde_json::Value as Json;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

async fn backup_of(database: &Database) -> String {
    let mut bytes = Vec::new();
    let written = dump(database, START, &mut bytes).await.unwrap();
    // PostgreSQL's own clock orders what several nodes write.
    let on_sqlite = matches!(database, Database::Sqlite(_));
    assert!(!on_sqlite || written.header.created_at_micros == START.0);
    String::from_utf8(bytes).unwrap()
}

async fn restore(place: &TestPlace, backup: &str) -> Result<Restored, BackupError> {
    Restoring::begin(&place.database, &mut backup.as_bytes()).await?.finish("another".into()).await
}

async fn opened(place: &TestPlace) -> Store {
    let options = Options { database: place.database.clone(), readers: 2 };
    Store::open(options, Arc::new(ManualClock::new(START))).await.unwrap()
}

/// The tables and rows, in an order that the engine does not decide; not the header, which names it.
fn content(backup: &str) -> Vec<String> {
    let mut table = String::new();
    let mut lines: Vec<String> = backup
        .lines()
        .skip(1)
        // A restore begins another life of the database.
        .filter(|line| !line.starts_with("{\"end\"") && !line.contains("\"log_epoch\""))
        .map(|line| {
            if !line.starts_with('[') {
                line.clone_into(&mut table);
            }
            format!("{table}{line}")
        })
        .collect();
    lines.sort_unstable();
    lines
}

async fn fill(store: &TestStore) {
    crate::people::settle_people(store, 1).await;
    settle(store, 2).await;
    for number in 1..=300 {
        let row = KeyRow { metadata: Some("{\"a\":\"ä\\\"\u{1f511}\"}".into()), ..key_row(1, number) };
        add_tagged(store, row, vec!["blue".into(), "green".into()]).await;
    }
    let revoked = KeyRow { revoked_at: Some(START), revoked_reason: Some("lost".into()), ..key_row(2, 301) };
    add_key(store, revoked).await;
    let kept: Outcome = store
        .store
        .bookkeeping(|ledger| {
            Box::pin(async move {
                ledger.insert_meter(&meter_row(MeterId::Lineage(key_id(1)), 7)).await?;
                ledger.put_seen(&seen_row(1)).await
            })
        })
        .await;
    kept.unwrap();
    let pepper = PepperRow { version: 1, wrapped: vec![0, 255, 7], created_at: START };
    act!(store.store, |tx| {
        tx.insert_pepper(&pepper).await?;
        tx.set_installation_value("something", "else").await?;
    })
    .unwrap();
}

pub(crate) async fn a_backup_restores_into_either_engine_as_it_was(store: TestStore) {
    fill(&store).await;
    let backup = backup_of(&store.database).await;
    for place in empty_places().await {
        let restored = restore(&place, &backup).await.unwrap();
        assert_eq!((restored.rows["keys"], restored.rows["key_tags"]), (301, 600));
        assert!(content(&backup_of(&place.database).await) == content(&backup));
        // It is a store like any other: the last number is not given out again, and writes work.
        let opened = opened(&place).await;
        let key = opened.read().await.unwrap().key(org(2), key_id(301)).await.unwrap().unwrap();
        assert_eq!(key.revoked_at, Some(START));
        act!(opened, |tx| tx.insert_key(&key_row(2, 400), &[], &[], &[]).await?).unwrap();
        opened.close().await;
    }
}

pub(crate) async fn every_table_is_in_a_backup_or_named_with_a_reason(store: TestStore) {
    let names = match &store.database {
        Database::Sqlite(_) => "SELECT name FROM sqlite_master WHERE type = 'table'",
        Database::Postgres(_) => "SELECT tablename::text FROM pg_tables WHERE schemaname = current_schema()",
    };
    let tables = crate::opening::ask(&store, names).await;
    assert!(tables.len() > 15, "{tables:?}");
    let backup = backup_of(&store.database).await;
    for table in &tables {
        let is_in = backup.contains(&format!("{{\"table\":\"{table}\","));
        assert!(
            is_in != left_out(table).is_some(),
            "{table}: in the backup {is_in}, and named as left out {}",
            !is_in
        );
    }
}

pub(crate) async fn a_backup_that_is_not_whole_is_refused_and_leaves_nothing(store: TestStore) {
    settle(&store, 1).await;
    add_key(&store, key_row(1, 1)).await;
    let backup = backup_of(&store.database).await;
    let without_end = &backup[..backup.trim_end().rfind('\n').unwrap() + 1];
    let without_a_row = backup.replacen("\"Key 1\"", "\"Key 2\"", 1);
    let tables: Vec<&str> = backup.lines().collect();
    for (broken, is) in [
        (without_end.to_owned(), "cut off"),
        (backup[..backup.len() / 2].to_owned(), "cut off"),
        (String::new(), "cut off"),
        ("hello\n".to_owned(), "no Keystead backup"),
        (without_a_row, "damaged"),
        (format!("{backup}[1]\n"), "damaged"),
        (backup.replace("\"table\":\"keys\"", "\"table\":\"keys; DROP TABLE keys\""), "damaged"),
        (tables[..2].join("\n") + "\n[1]\n", "damaged"),
    ] {
        for place in empty_places().await {
            let refused = restore(&place, &broken).await.unwrap_err();
            assert!(refused.to_string().contains(is), "{refused}");
            // The place is as empty as before.
            if let Database::Sqlite(path) = &place.database {
                let left: Vec<_> = std::fs::read_dir(path.parent().unwrap()).unwrap().collect();
                assert!(left.len() <= 1, "{left:?}");
            }
            restore(&place, &backup).await.unwrap();
        }
    }
}

pub(crate) async fn a_place_that_is_not_empty_is_refused(store: TestStore) {
    settle(&store, 1).await;
    let backup = backup_of(&store.database).await;
    store.store.close().await;
    let refused = Restoring::begin(&store.database, &mut backup.as_bytes()).await.unwrap_err();
    assert!(matches!(refused, BackupError::NotEmpty(_)), "{refused}");
    assert_eq!(content(&backup_of(&store.database).await), content(&backup));
    for place in empty_places().await {
        assert!(matches!(
            dump(&place.database, START, &mut Vec::new()).await,
            Err(BackupError::NoInstallation(_) | BackupError::Open(_))
        ));
    }
}

/// A journal that a lost database left would be played over what is restored, and undo it in silence.
pub(crate) async fn a_journal_beside_an_empty_place_is_refused(store: TestStore) {
    settle(&store, 1).await;
    let backup = backup_of(&store.database).await;
    for place in empty_places().await {
        let Database::Sqlite(path) = &place.database else { continue };
        for end in ["-wal", "-journal"] {
            let left = std::path::PathBuf::from(format!("{}{end}", path.display()));
            std::fs::write(&left, b"left").unwrap();
            let refused = restore(&place, &backup).await.unwrap_err();
            assert!(refused.to_string().contains(&format!("{end} is not empty")), "{refused}");
            std::fs::remove_file(&left).unwrap();
        }
        restore(&place, &backup).await.unwrap();
    }
}

pub(crate) async fn a_backup_of_a_newer_schema_is_refused(store: TestStore) {
    let backup = backup_of(&store.database).await;
    let header: Json = serde_json::from_str(backup.lines().next().unwrap()).unwrap();
    let newer = header["schema"].as_i64().unwrap() + 1;
    let backup =
        backup.replacen(&format!("\"schema\":{}", header["schema"]), &format!("\"schema\":{newer}"), 1);
    for place in empty_places().await {
        let refused = restore(&place, &backup).await.unwrap_err();
        assert!(matches!(refused, BackupError::NewerSchema { found, .. } if found == newer), "{refused}");
    }
}

/// Each organization comes with its project in one act, and goes on being written while the backup is.
pub(crate) async fn a_backup_is_of_one_instant_while_others_write(store: TestStore) {
    settle(&store, 1).await;
    let (stop, writing) = (Arc::new(AtomicBool::new(false)), store.store.clone());
    let stopped = Arc::clone(&stop);
    let writer = tokio::spawn(async move {
        let mut number = 0;
        while !stopped.load(Ordering::Relaxed) {
            number += 1;
            act!(writing, |tx| tx.insert_key(&key_row(1, number), &["paired".to_owned()], &[], &[]).await?)
                .unwrap();
        }
        number
    });
    let mut before = 0;
    for _ in 0..10 {
        let backup = backup_of(&store.database).await;
        let count = |table: &str| {
            let end: Json = serde_json::from_str(backup.lines().last().unwrap()).unwrap();
            end["end"]["rows"][table].as_u64().unwrap()
        };
        // Each key has its tag and its audit record: of one instant, or of none.
        assert_eq!(count("keys"), count("key_tags"));
        assert_eq!(count("keys") + 1, count("audit"));
        assert!(count("keys") >= before, "what was acknowledged before is there");
        before = u64::try_from(store.store.read().await.unwrap().count_all_keys().await.unwrap()).unwrap();
    }
    stop.store(true, Ordering::Relaxed);
    assert!(writer.await.unwrap() > 0);
}

pub(crate) async fn rows_that_do_not_fit_each_other_are_refused(store: TestStore) {
    settle(&store, 1).await;
    add_key(&store, key_row(1, 1)).await;
    let Database::Sqlite(_) = &store.database else { return };
    crate::opening::tamper(&store, "PRAGMA foreign_keys = OFF; DELETE FROM environments").await;
    let backup = backup_of(&store.database).await;
    for place in empty_places().await {
        let refused = restore(&place, &backup).await.unwrap_err();
        assert!(matches!(refused, BackupError::Inconsistent), "{refused}");
    }
}
