//! The log beside the database: what a restore makes of a backup and the logs since.

use crate::ledger::meter_row;
use crate::world::*;
use keystead_domain::ids::*;
use keystead_domain::seal::{RootKey, RootKeys};
use keystead_domain::time::Micros;
use keystead_store::backup::{BackupError, Ending, Restoring, Survey, dump};
use keystead_store::log::{EPOCH, Log, LogFile, is_logged};
use keystead_store::testing::{TestPlace, TestStore, empty_places};
use keystead_store::*;
use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

pub(crate) fn keys() -> RootKeys {
    RootKeys::new(RootKey::new(&[7; 32]).unwrap(), Vec::new())
}

/// Begins a session of `store` with a log at `path`, or with none.
pub(crate) async fn begin(store: &TestStore, path: Option<&Path>, seed: u64) {
    let decided: Outcome = store
        .store
        .bookkeeping(|ledger| Box::pin(async move { ledger.decide_installation_value(EPOCH, "first").await }))
        .await;
    decided.unwrap();
    let epoch = read(store).await.installation_value(EPOCH).await.unwrap().unwrap();
    let rng = Box::new(ChaCha8Rng::seed_from_u64(seed));
    let log = path.map(|path| Log::open(path, &keys(), rng, store.clock_now()).unwrap());
    let place = path.map_or_else(|| "nowhere".to_owned(), |path| path.display().to_string());
    store.store.begin_session(log, epoch, place).await.unwrap();
}

/// Whether nothing is missing before the end, which is one.
pub(crate) fn is_covered(survey: &Survey, how: Ending) -> bool {
    survey.gaps.is_empty() && survey.ends.len() == 1 && survey.ends[0].how == how
}

pub(crate) trait Now {
    fn clock_now(&self) -> Micros;
}

impl Now for TestStore {
    fn clock_now(&self) -> Micros {
        keystead_domain::time::Clock::now(&*self.clock)
    }
}

pub(crate) async fn backup_of(database: &Database, now: Micros) -> Vec<u8> {
    let mut bytes = Vec::new();
    dump(database, now, &mut bytes).await.unwrap();
    bytes
}

/// Restores with these logs; what they covered.
pub(crate) async fn restore(
    place: &TestPlace,
    backup: &[u8],
    logs: &[PathBuf],
) -> Result<Survey, BackupError> {
    let mut restoring = Restoring::begin(&place.database, &mut &backup[..]).await?;
    let survey = restoring.survey(logs, &keys()).await?;
    restoring.replay(&survey, &keys()).await?;
    restoring.finish("another".into()).await?;
    Ok(survey)
}

/// The rows of the tables that the log has.
pub(crate) async fn logged_rows(database: &Database) -> Vec<String> {
    let backup = String::from_utf8(backup_of(database, Micros(0)).await).unwrap();
    let mut table = String::new();
    let mut rows = Vec::new();
    for line in backup.lines().skip(1) {
        if let Some(rest) = line.strip_prefix("{\"table\":\"") {
            table = rest.split('"').next().unwrap().to_owned();
        } else if is_logged(&table) {
            rows.push(format!("{table} {line}"));
        }
    }
    rows.sort_unstable();
    rows
}

/// What a restore into each engine covers; it must make these rows.
pub(crate) async fn restored(backup: &[u8], logs: &[PathBuf], expected: &[String]) -> Vec<Survey> {
    let mut surveys = Vec::new();
    for place in empty_places().await {
        surveys.push(restore(&place, backup, logs).await.unwrap());
        assert_eq!(logged_rows(&place.database).await, expected);
    }
    surveys
}

pub(crate) fn log_in(folder: &TempDir, name: &str) -> PathBuf {
    folder.path().join(name)
}

/// Things that are changed after a backup, in every way that there is.
pub(crate) async fn live_on(store: &TestStore) {
    let revoked = KeyRow { revoked_at: Some(minutes(3)), version: 2, ..key_row(1, 1) };
    let disabled = KeyRow { disabled: true, version: 2, ..key_row(1, 2) };
    let shortened = KeyRow { expires_at: Some(minutes(4)), version: 2, ..key_row(1, 3) };
    let acted: Outcome = store
        .store
        .act(move |tx| {
            Box::pin(async move {
                for row in [&revoked, &disabled, &shortened] {
                    assert!(tx.update_key(row, 1).await?);
                }
                tx.set_key_tags(key_id(3), &["later".to_owned()]).await?;
                tx.delete_key(org(1), key_id(4)).await?;
                tx.insert_policy(org(1), &[8; 32], "{\"later\":1}").await?;
                let made = KeyRow { policy_hash: [8; 32], ..key_row(1, 6) };
                tx.insert_key(&made, &["made".to_owned()], &[], &[]).await?;
                let disabled = ConsumerRow { disabled: false, version: 2, ..consumer_row(1) };
                assert!(tx.update_consumer(&disabled, 1).await?);
                let narrowed = RoleRow { permissions: "[]".into(), version: 2, ..role_row(1) };
                assert!(tx.update_role(&narrowed, 1).await?);
                tx.delete_permission(org(1), PermissionId([1; 16])).await?;
                Ok(Acted { value: (), events: vec![event(1)], changes: Vec::new() })
            })
        })
        .await;
    acted.unwrap();
    spend(store, 5).await;
}

/// Leaves this many credits.
pub(crate) async fn spend(store: &TestStore, left: i64) {
    let spent: Outcome<bool> = store
        .store
        .bookkeeping(move |ledger| {
            Box::pin(async move {
                let id = MeterId::Lineage(key_id(5));
                let row = ledger.lock_meter(id).await?.unwrap();
                ledger.update_meter(&MeterRow { credits_remaining: Some(left), ..row }).await
            })
        })
        .await;
    assert_eq!(spent, Ok(true));
}

pub(crate) async fn fill(store: &TestStore) {
    settle(store, 1).await;
    for number in 1..=5 {
        add_key(store, key_row(1, number)).await;
    }
    let id = MeterId::Lineage(key_id(5));
    act!(store.store, |tx| tx.insert_meter(&meter_row(id, 100)).await?).unwrap();
}

/// A database with rows of each kind, and the log that was begun before them.
pub(crate) async fn filled_with_log(store: &TestStore) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = log_in(&folder, "a.log");
    begin(store, Some(&path), 1).await;
    fill(store).await;
    (folder, path)
}

pub(crate) async fn make_key(store: &Store, number: u64) {
    let made: Outcome = store
        .act(move |tx| {
            Box::pin(async move {
                tx.insert_key(&key_row(1, number), &[], &[], &[]).await?;
                let changes = vec![Change::new(org(1), ChangeKind::Key, key_id(number).as_bytes())];
                Ok(Acted { value: (), events: vec![event(1)], changes })
            })
        })
        .await;
    made.unwrap();
}

/// LESSONS 8: spent credits came back. And what was revoked must stay so.
pub(crate) async fn a_backup_with_its_log_is_what_was_there_lessons_8(store: TestStore) {
    let (_folder, path) = filled_with_log(&store).await;
    let backup = backup_of(&store.database, store.clock_now()).await;
    live_on(&store).await;
    store.store.end_session().await.unwrap();
    let expected = logged_rows(&store.database).await;
    for survey in restored(&backup, &[path], &expected).await {
        assert!(is_covered(&survey, Ending::Closed), "{survey:?}");
    }
    assert!(expected.iter().any(|row| row.starts_with("meters") && row.contains(",5,")), "{expected:?}");
}

pub(crate) async fn what_no_log_tells_is_named(store: TestStore) {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (log_in(&folder, "1.log"), log_in(&folder, "2.log"));
    begin(&store, Some(&one), 1).await;
    fill(&store).await;
    let backup = backup_of(&store.database, store.clock_now()).await;
    let places = empty_places().await;
    let place = &places[0];
    let survey = async |backup: &[u8], logs: &[PathBuf]| {
        let mut restoring = Restoring::begin(&place.database, &mut &backup[..]).await.unwrap();
        restoring.survey(logs, &keys()).await.unwrap()
    };
    // The log of the server that ran then is missing.
    let found = survey(&backup, &[]).await;
    assert!(found.gaps.len() == 1 && found.gaps[0].why.contains("was not given"), "{found:?}");
    // It did not end in order.
    store.clock.step(90_000_000);
    live_on(&store).await;
    let found = survey(&backup, std::slice::from_ref(&one)).await;
    assert!(is_covered(&found, Ending::Unclosed), "{found:?}");
    assert!(found.ends[0].until >= minutes(1), "{found:?}");
    // As a copy looks that was made while the server was stopped, and was started again.
    store.store.end_session().await.unwrap();
    let found = survey(&backup, std::slice::from_ref(&one)).await;
    assert!(is_covered(&found, Ending::Closed), "{found:?}");
    // No server ran when the backup was written, and nothing says whether one did later.
    let stopped = backup_of(&store.database, store.clock_now()).await;
    let found = survey(&stopped, std::slice::from_ref(&one)).await;
    assert!(is_covered(&found, Ending::NoneRan), "{found:?}");
    // A time without a log, then with another one.
    let mut store = store;
    store.reopen().await;
    begin(&store, None, 2).await;
    let unlogged = backup_of(&store.database, store.clock_now()).await;
    let found = survey(&unlogged, std::slice::from_ref(&one)).await;
    assert!(found.gaps.iter().any(|gap| gap.why.contains("kept no log")), "{found:?}");
    store.reopen().await;
    begin(&store, Some(&two), 3).await;
    store.store.end_session().await.unwrap();
    let found = survey(&backup, &[one.clone(), two.clone()]).await;
    assert!(found.gaps.len() == 1 && found.gaps[0].why.contains("session 2"), "{found:?}");
    // A damaged log says from where on.
    let mut bytes = std::fs::read(&one).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&one, bytes).unwrap();
    let found = survey(&backup, std::slice::from_ref(&one)).await;
    assert!(found.gaps.iter().any(|gap| gap.why.contains("damaged")), "{found:?}");
    // One that another root key sealed does not open.
    let others = RootKeys::new(RootKey::new(&[8; 32]).unwrap(), Vec::new());
    assert!(LogFile::open(&two, &others).is_err());
}

pub(crate) async fn logs_of_before_a_restore_are_not_taken_for_later_ones(store: TestStore) {
    let (_folder, path) = filled_with_log(&store).await;
    let backup = backup_of(&store.database, store.clock_now()).await;
    live_on(&store).await;
    store.store.end_session().await.unwrap();
    for place in empty_places().await {
        restore(&place, &backup, std::slice::from_ref(&path)).await.unwrap();
        let later = backup_of(&place.database, store.clock_now()).await;
        for empty in empty_places().await {
            let survey = restore(&empty, &later, std::slice::from_ref(&path)).await.unwrap();
            assert!(survey.gaps.iter().any(|gap| gap.why.contains("another life")), "{survey:?}");
            assert_eq!(logged_rows(&empty.database).await, logged_rows(&place.database).await);
        }
    }
}

/// A record whose commit never came is written again as things are, when its log goes on.
pub(crate) async fn what_a_crash_left_unsettled_is_settled_by_the_next_start(store: TestStore) {
    let mut store = store;
    let (_folder, path) = filled_with_log(&store).await;
    let backup = backup_of(&store.database, store.clock_now()).await;
    live_on(&store).await;
    let logged = std::fs::read(&path).unwrap();
    // As if what the log had last was never committed: the database has other credits.
    spend(&store, 77).await;
    std::fs::write(&path, [&logged[..], &[0, 0, 9]].concat()).unwrap();
    store.reopen().await;
    begin(&store, Some(&path), 2).await;
    store.store.end_session().await.unwrap();
    for survey in restored(&backup, &[path], &logged_rows(&store.database).await).await {
        assert!(is_covered(&survey, Ending::Closed), "{survey:?}");
    }
}

/// LESSONS 8: credits came back, or were lost by thousands. While keys are made, revoked and spent from.
pub(crate) async fn nothing_comes_back_whenever_the_backup_was_written_lessons_8(store: TestStore) {
    let (_folder, path) = filled_with_log(&store).await;
    let writing = store.store.clone();
    let writer = tokio::spawn(async move {
        for number in 10..60 {
            make_key(&writing, number).await;
            let acted: Outcome = writing
                .act(move |tx| {
                    Box::pin(async move {
                        let row = KeyRow { revoked_at: Some(minutes(1)), version: 2, ..key_row(1, number) };
                        tx.update_key(&row, 1).await?;
                        let id = MeterId::Lineage(key_id(5));
                        let meter = tx.lock_meter(id).await?.unwrap();
                        let left = meter.credits_remaining.unwrap() - 1;
                        tx.update_meter(&MeterRow { credits_remaining: Some(left), ..meter }).await?;
                        let changes = vec![Change::new(org(1), ChangeKind::Key, key_id(number).as_bytes())];
                        Ok(Acted { value: (), events: vec![event(1)], changes })
                    })
                })
                .await;
            acted.unwrap();
        }
    });
    let mut backups = Vec::new();
    while !writer.is_finished() {
        backups.push(backup_of(&store.database, store.clock_now()).await);
    }
    writer.await.unwrap();
    store.store.end_session().await.unwrap();
    let expected = logged_rows(&store.database).await;
    let some = [backups.first(), backups.get(backups.len() / 2), backups.last()];
    for backup in some.into_iter().flatten() {
        for survey in restored(backup, std::slice::from_ref(&path), &expected).await {
            assert!(is_covered(&survey, Ending::Closed), "{survey:?}");
        }
    }
}

/// LESSONS 34: a full disk stopped everything without saying so.
pub(crate) async fn a_log_that_cannot_be_written_stops_nobody_and_says_so_lessons_34(store: TestStore) {
    let (_folder, path) = filled_with_log(&store).await;
    let backup = backup_of(&store.database, store.clock_now()).await;
    let log = store.store.log().unwrap();
    assert_eq!(log.failing_since(), None);
    log.fail_for_a_test(true);
    live_on(&store).await;
    assert!(log.failing_since().is_some());
    log.fail_for_a_test(false);
    spend(&store, 1).await;
    assert_eq!(log.failing_since(), None);
    store.store.end_session().await.unwrap();
    for place in empty_places().await {
        let survey = restore(&place, &backup, std::slice::from_ref(&path)).await.unwrap();
        assert!(survey.gaps.len() == 1 && survey.gaps[0].why.contains("could not write"), "{survey:?}");
        assert!(survey.gaps[0].to.is_some());
    }
}

pub(crate) async fn a_root_key_that_is_exchanged_takes_the_log_along_lessons_38(store: TestStore) {
    let folder = tempfile::tempdir().unwrap();
    let path = log_in(&folder, "a.log");
    begin(&store, Some(&path), 1).await;
    let new = RootKeys::new(RootKey::new(&[9; 32]).unwrap(), Vec::new());
    assert!(LogFile::open(&path, &new).is_err());
    store.store.log().unwrap().reseal(&new, &mut ChaCha8Rng::seed_from_u64(3)).await.unwrap();
    settle(&store, 1).await;
    assert!(LogFile::open(&path, &new).is_ok());
    assert!(LogFile::open(&path, &keys()).is_err());
}
