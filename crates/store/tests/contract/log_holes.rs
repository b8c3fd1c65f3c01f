//! Logs that were cut, swapped, written by several nodes, by a clock that jumps, on a disk that hangs.

use crate::log::*;
use crate::world::*;
use keystead_domain::seal::{RootKey, RootKeys};
use keystead_domain::time::{Clock, ManualClock, Micros};
use keystead_store::backup::{BackupError, Ending, Survey};
use keystead_store::log::{EPOCH, Log, LogFileError};
use keystead_store::testing::{TestStore, empty_places};
use keystead_store::*;
use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const HOUR: i64 = 3_600_000_000;

async fn change_environment(store: &TestStore, row: EnvironmentRow) {
    let changed: Outcome = store
        .store
        .act(move |tx| {
            Box::pin(async move {
                if row.version == 1 {
                    tx.insert_environment(&row).await?;
                } else {
                    assert!(tx.update_environment(&row, row.version - 1).await?);
                }
                let changes = vec![Change::new(org(1), ChangeKind::Environment, row.id.0)];
                Ok(Acted { value: (), events: vec![event(1)], changes })
            })
        })
        .await;
    changed.unwrap();
}

/// A name that one thing gave up and another took must not stop a restore in its middle.
pub(crate) async fn names_that_change_hands_are_restored(store: TestStore) {
    let (_folder, path) = filled_with_log(&store).await;
    let backup = backup_of(&store.database, store.clock_now()).await;
    let named = |slug: &str, version| EnvironmentRow {
        slug: slug.into(),
        tag: slug.into(),
        name: slug.into(),
        version,
        ..environment_row(1)
    };
    change_environment(&store, named("between", 2)).await;
    let taker = keystead_domain::ids::EnvironmentId([77; 16]);
    change_environment(&store, EnvironmentRow { id: taker, ..environment_row(1) }).await;
    change_environment(&store, named("last", 3)).await;
    store.store.end_session().await.unwrap();
    restored(&backup, &[path], &logged_rows(&store.database).await).await;
}

async fn rewrite_key(store: &Store, row: KeyRow) {
    let written: Outcome = store
        .act(move |tx| {
            Box::pin(async move {
                assert!(tx.update_key(&row, row.version - 1).await?);
                let changes = vec![Change::new(org(1), ChangeKind::Key, row.id.as_bytes())];
                Ok(Acted { value: (), events: vec![event(1)], changes })
            })
        })
        .await;
    written.unwrap();
}

/// LESSONS 1, 12: what another node revoked before the backup is in the backup. An older change of
/// this node, of which alone a log is given, must not win over it.
pub(crate) async fn an_older_change_of_one_node_does_not_undo_a_revocation_by_another(store: TestStore) {
    if matches!(store.database, Database::Sqlite(_)) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (here, there) = (log_in(&folder, "here.log"), log_in(&folder, "there.log"));
    begin(&store, Some(&here), 1).await;
    fill(&store).await;
    let clock: Arc<dyn Clock> = Arc::<ManualClock>::clone(&store.clock);
    let other = Store::open(store.options(), clock).await.unwrap();
    let rng = Box::new(ChaCha8Rng::seed_from_u64(2));
    let log = Log::open(&there, &keys(), rng, store.clock_now()).unwrap();
    other.begin_session(Some(log), "first".into(), "there".into()).await.unwrap();
    rewrite_key(&store.store, KeyRow { name: "Renamed".into(), version: 2, ..key_row(1, 1) }).await;
    let revoked = KeyRow { revoked_at: Some(minutes(3)), version: 3, ..key_row(1, 1) };
    rewrite_key(&other, revoked).await;
    other.end_session().await.unwrap();
    other.close().await;
    let backup = backup_of(&store.database, store.clock_now()).await;
    spend(&store, 3).await;
    store.store.end_session().await.unwrap();
    let expected = logged_rows(&store.database).await;
    for survey in restored(&backup, std::slice::from_ref(&here), &expected).await {
        assert!(is_covered(&survey, Ending::Closed), "{survey:?}");
    }
    restored(&backup, &[here, there], &expected).await;
}

/// A node whose own clock is ahead writes by the database's: a later change elsewhere is later.
pub(crate) async fn a_node_whose_clock_is_ahead_does_not_undo_what_came_later(store: TestStore) {
    if matches!(store.database, Database::Sqlite(_)) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (here, there) = (log_in(&folder, "here.log"), log_in(&folder, "there.log"));
    fill(&store).await;
    store.clock.set(Micros(i64::MAX / 4));
    begin(&store, Some(&here), 1).await;
    store.store.beat_log().await.unwrap();
    let clock: Arc<dyn Clock> = Arc::<ManualClock>::clone(&store.clock);
    let other = Store::open(store.options(), clock).await.unwrap();
    let log = Log::open(&there, &keys(), Box::new(ChaCha8Rng::seed_from_u64(2)), Micros(0)).unwrap();
    other.begin_session(Some(log), "first".into(), "there".into()).await.unwrap();
    let backup = backup_of(&store.database, Micros(0)).await;
    rewrite_key(&store.store, KeyRow { name: "Renamed".into(), version: 2, ..key_row(1, 1) }).await;
    rewrite_key(&other, KeyRow { revoked_at: Some(minutes(3)), version: 3, ..key_row(1, 1) }).await;
    other.end_session().await.unwrap();
    store.store.end_session().await.unwrap();
    let expected = logged_rows(&store.database).await;
    other.close().await;
    restored(&backup, &[there, here], &expected).await;
}

/// A clock that steps back an hour after the backup dates nothing out of a restore.
pub(crate) async fn a_clock_that_steps_back_after_the_backup_loses_nothing(store: TestStore) {
    let mut store = store;
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (log_in(&folder, "1.log"), log_in(&folder, "2.log"));
    begin(&store, Some(&one), 1).await;
    fill(&store).await;
    store.clock.step(2 * HOUR);
    store.store.beat_log().await.unwrap();
    let backup = backup_of(&store.database, store.clock_now()).await;
    store.clock.step(-HOUR);
    spend(&store, 50).await;
    // A new file knows nothing of what the clock said before.
    store.store.end_session().await.unwrap();
    store.reopen().await;
    begin(&store, Some(&two), 2).await;
    live_on(&store).await;
    store.store.end_session().await.unwrap();
    restored(&backup, &[one, two], &logged_rows(&store.database).await).await;
}

/// What the log missed before the backup is in the backup.
pub(crate) async fn a_hole_from_before_the_backup_is_none(store: TestStore) {
    if matches!(store.database, Database::Postgres(_)) {
        // Its clock cannot be set.
        return;
    }
    let (_folder, path) = filled_with_log(&store).await;
    let log = store.store.log().unwrap();
    log.fail_for_a_test(true);
    spend(&store, 60).await;
    log.fail_for_a_test(false);
    spend(&store, 50).await;
    store.clock.step(HOUR);
    store.store.beat_log().await.unwrap();
    let backup = backup_of(&store.database, store.clock_now()).await;
    live_on(&store).await;
    store.store.end_session().await.unwrap();
    for survey in restored(&backup, &[path], &logged_rows(&store.database).await).await {
        assert!(is_covered(&survey, Ending::Closed), "{survey:?}");
    }
}

/// LESSONS 34: a disk that hangs, as a network's does, stops nobody either, and is told.
pub(crate) async fn a_log_whose_disk_hangs_stops_nobody_lessons_34(store: TestStore) {
    let (_folder, path) = filled_with_log(&store).await;
    let backup = backup_of(&store.database, store.clock_now()).await;
    let log = store.store.log().unwrap();
    let hanging = log.hang_for_a_test();
    live_on(&store).await;
    assert!(store.store.log().unwrap().failing_since().is_some());
    drop(hanging);
    // What waited is written, and nothing is missing.
    store.store.end_session().await.unwrap();
    assert_eq!(store.store.log().unwrap().failing_since(), None);
    for survey in restored(&backup, &[path], &logged_rows(&store.database).await).await {
        assert!(is_covered(&survey, Ending::Closed), "{survey:?}");
    }
}

pub(crate) async fn a_log_has_one_writer(store: TestStore) {
    let folder = tempfile::tempdir().unwrap();
    let path = log_in(&folder, "a.log");
    begin(&store, Some(&path), 1).await;
    let again = Log::open(&path, &keys(), Box::new(ChaCha8Rng::seed_from_u64(2)), store.clock_now());
    assert!(matches!(again, Err(LogFileError::InUse(_))), "{again:?}");
}

/// A process that was killed between two steps of its start has written nothing that is missing.
pub(crate) async fn a_start_that_was_cut_short_leaves_no_hole(store: TestStore) {
    let mut store = store;
    let (_folder, path) = filled_with_log(&store).await;
    let before = backup_of(&store.database, store.clock_now()).await;
    let id = store.store.log().unwrap().id();
    let place = path.display().to_string();
    store.store.end_session().await.unwrap();
    store.reopen().await;
    for _ in 0..2 {
        let place = place.clone();
        let begun: Outcome<i64> = store
            .store
            .bookkeeping(move |ledger| {
                Box::pin(async move {
                    ledger.end_log_sessions_of(id, minutes(1)).await?;
                    ledger.begin_log_session(&place, Some(id), minutes(1)).await
                })
            })
            .await;
        begun.unwrap();
    }
    let between = backup_of(&store.database, store.clock_now()).await;
    begin(&store, Some(&path), 2).await;
    live_on(&store).await;
    store.store.end_session().await.unwrap();
    let expected = logged_rows(&store.database).await;
    for backup in [before, between] {
        for survey in restored(&backup, std::slice::from_ref(&path), &expected).await {
            assert!(is_covered(&survey, Ending::Closed), "{survey:?}");
        }
    }
}

/// Another file with the same session's number is not the log of that session: a copy of the
/// installation that lived on elsewhere has one.
pub(crate) async fn the_log_of_a_twin_is_not_taken(store: TestStore) {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (log_in(&folder, "1.log"), log_in(&folder, "2.log"));
    begin(&store, Some(&one), 1).await;
    fill(&store).await;
    let backup = backup_of(&store.database, store.clock_now()).await;
    let twin = testing::sqlite().await;
    begin(&twin, Some(&other), 2).await;
    assert_eq!(read(&twin).await.installation_value(EPOCH).await, Ok(Some("first".into())));
    twin.store.end_session().await.unwrap();
    for place in empty_places().await {
        let survey = restore(&place, &backup, std::slice::from_ref(&other)).await.unwrap();
        assert!(survey.gaps.iter().any(|gap| gap.why.contains("was not given")), "{survey:?}");
    }
}

/// Cut anywhere, changed anywhere: what is missing is named or asked about, and never wrongly applied.
pub(crate) async fn a_log_that_was_cut_or_changed_never_passes_for_whole(store: TestStore) {
    let mut store = store;
    let (folder, path) = filled_with_log(&store).await;
    let backup = backup_of(&store.database, store.clock_now()).await;
    store.store.end_session().await.unwrap();
    let stopped = std::fs::read(&path).unwrap().len();
    store.reopen().await;
    begin(&store, Some(&path), 2).await;
    live_on(&store).await;
    store.store.end_session().await.unwrap();
    let whole = std::fs::read(&path).unwrap();
    let place = &empty_places().await[0];
    let until = async |bytes: &[u8]| {
        let cut = log_in(&folder, "cut.log");
        std::fs::write(&cut, bytes).unwrap();
        survey_of(place, &backup, &cut).await
    };
    let last = until(&whole).await.unwrap().ends[0].until;
    // Where the server was stopped, a log looks closed: the end is told, and asked about.
    let found = until(&whole[..stopped]).await.unwrap();
    assert!(is_covered(&found, Ending::Closed) && found.ends[0].until <= last, "{found:?}");
    for length in (stopped + 1..whole.len()).step_by((whole.len() - stopped) / 30) {
        let found = until(&whole[..length]).await.unwrap();
        assert!(found.gaps.is_empty() && !found.ends.is_empty(), "{found:?}");
    }
    for at in (0..whole.len()).step_by(whole.len() / 60) {
        let mut changed = whole.clone();
        changed[at] ^= 4;
        match until(&changed).await {
            Err(error) => assert!(matches!(error, BackupError::Log(_)), "{error}"),
            Ok(found) => assert!(found.gaps.len() + found.ends.len() > 0, "{found:?}"),
        }
    }
    let others = RootKeys::new(RootKey::new(&[8; 32]).unwrap(), Vec::new());
    assert!(keystead_store::log::LogFile::open(&path, &others).is_err());
}

/// A log goes on in another file while everybody writes: together the files have everything, and a
/// backup that is written later needs only the later ones.
pub(crate) async fn a_log_goes_on_in_another_file_while_everybody_writes(store: TestStore) {
    let (folder, path) = filled_with_log(&store).await;
    let before = backup_of(&store.database, store.clock_now()).await;
    let writing = store.store.clone();
    let writer = tokio::spawn(async move {
        for number in 100..160 {
            make_key(&writing, number).await;
        }
    });
    for seed in 10..13 {
        store.clock.step(1_000_000);
        store.store.roll_log(&keys(), Box::new(ChaCha8Rng::seed_from_u64(seed))).await.unwrap();
    }
    let after = backup_of(&store.database, store.clock_now()).await;
    writer.await.unwrap();
    live_on(&store).await;
    store.store.end_session().await.unwrap();
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|file| !file.file_name().unwrap().to_str().unwrap().starts_with('.'))
        .collect();
    files.sort_unstable();
    assert_eq!(files.len(), 4, "{files:?}");
    let expected = logged_rows(&store.database).await;
    for survey in restored(&before, &files, &expected).await {
        assert!(is_covered(&survey, Ending::Closed), "{survey:?}");
    }
    for survey in restored(&after, std::slice::from_ref(&path), &expected).await {
        assert!(is_covered(&survey, Ending::Closed), "{survey:?}");
    }
    let place = &empty_places().await[0];
    let found = survey_of(place, &before, &path).await.unwrap();
    assert!(found.gaps.iter().any(|gap| gap.why.contains("was not given")), "{found:?}");
}

/// Killed before the new file took over, nothing is missing.
pub(crate) async fn a_change_of_files_that_was_cut_short_leaves_no_hole(store: TestStore) {
    let mut store = store;
    let (folder, path) = filled_with_log(&store).await;
    let backup = backup_of(&store.database, store.clock_now()).await;
    let old = std::fs::read(&path).unwrap();
    store.clock.step(1_000_000);
    store.store.roll_log(&keys(), Box::new(ChaCha8Rng::seed_from_u64(9))).await.unwrap();
    store.reopen().await;
    // As it is before the names change: the next file is hidden, the old one has the name.
    std::fs::rename(&path, log_in(&folder, ".a.log.next")).unwrap();
    std::fs::write(&path, old).unwrap();
    begin(&store, Some(&path), 2).await;
    live_on(&store).await;
    store.store.end_session().await.unwrap();
    let expected = logged_rows(&store.database).await;
    for survey in restored(&backup, std::slice::from_ref(&path), &expected).await {
        assert!(is_covered(&survey, Ending::Closed), "{survey:?}");
    }
}

async fn survey_of(place: &testing::TestPlace, backup: &[u8], log: &Path) -> Result<Survey, BackupError> {
    let mut input = backup;
    let mut restoring = keystead_store::backup::Restoring::begin(&place.database, &mut input).await?;
    restoring.survey(&[log.to_owned()], &keys()).await
}
