//! Sessions of logs: whose is over, and what is settled before one ends.

use crate::log::*;
use crate::world::*;
use keystead_domain::time::{Clock, ManualClock};
use keystead_store::backup::{Ending, Restoring, Survey};
use keystead_store::log::Log;
use keystead_store::testing::{TestStore, empty_places};
use keystead_store::*;
use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;
use std::path::Path;
use std::sync::Arc;

/// Another node of the same database, with a log of its own and this name for its place.
async fn node(store: &TestStore, path: &Path, place: &str, seed: u64) -> Store {
    let clock: Arc<dyn Clock> = Arc::<ManualClock>::clone(&store.clock);
    let other = Store::open(store.options(), clock).await.unwrap();
    let log = Log::open(path, &keys(), Box::new(ChaCha8Rng::seed_from_u64(seed)), store.clock_now()).unwrap();
    other.begin_session(Some(log), "first".into(), place.into()).await.unwrap();
    other
}

async fn survey_of(backup: &[u8], logs: &[std::path::PathBuf]) -> Survey {
    let place = &empty_places().await[0];
    let mut restoring = Restoring::begin(&place.database, &mut &backup[..]).await.unwrap();
    restoring.survey(logs, &keys()).await.unwrap()
}

async fn write_key(store: &Store, row: KeyRow) -> Outcome<bool> {
    act!(store, |tx| tx.update_key(&row, row.version - 1).await?)
}

/// How many sessions are not over.
async fn open_sessions(store: &TestStore) -> usize {
    let sessions = read(store).await.log_sessions().await.unwrap();
    sessions.iter().filter(|session| session.ended_at.is_none()).count()
}

/// LESSONS 1: machines made from one image share their name and their paths. The start of one must not
/// make a restore forget what the other revoked.
pub(crate) async fn nodes_that_call_their_place_the_same_are_two_lessons_1(store: TestStore) {
    if matches!(store.database, Database::Sqlite(_)) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (log_in(&folder, "1.log"), log_in(&folder, "2.log"));
    fill(&store).await;
    begin(&store, None, 1).await;
    store.store.end_session().await.unwrap();
    let (a, b) = (node(&store, &one, "vm:/log", 1).await, node(&store, &two, "vm:/log", 2).await);
    let backup = backup_of(&store.database, store.clock_now()).await;
    let revoked = KeyRow { revoked_at: Some(minutes(3)), version: 2, ..key_row(1, 1) };
    assert_eq!(write_key(&a, revoked).await, Ok(true));
    // The one whose log is not given did not end in order.
    b.end_session().await.unwrap();
    a.close().await;
    b.close().await;
    let found = survey_of(&backup, std::slice::from_ref(&two)).await;
    assert!(found.gaps.iter().any(|gap| gap.why.contains("was not given")), "{found:?}");
    for survey in restored(&backup, &[one, two], &logged_rows(&store.database).await).await {
        assert!(survey.gaps.is_empty(), "{survey:?}");
        // Of each it is asked how it ended.
        let ends: Vec<Ending> = survey.ends.iter().map(|end| end.how).collect();
        assert_eq!(ends, [Ending::Unclosed, Ending::Closed]);
    }
}

/// A log that was moved, or whose machine has another name now, is the same log.
pub(crate) async fn a_log_that_was_moved_ends_what_a_crash_left(store: TestStore) {
    let mut store = store;
    let (folder, path) = filled_with_log(&store).await;
    store.reopen().await;
    let moved = log_in(&folder, "moved.log");
    std::fs::rename(&path, &moved).unwrap();
    begin(&store, Some(&moved), 2).await;
    assert_eq!(open_sessions(&store).await, 1);
    // A SQLite file has one owner: whatever else was begun is over.
    store.reopen().await;
    begin(&store, Some(&path), 3).await;
    let left = usize::from(matches!(store.database, Database::Postgres(_)));
    assert_eq!(open_sessions(&store).await, 1 + left);
    // Nor is one that kept no log asked about for ever.
    store.reopen().await;
    begin(&store, None, 4).await;
    store.reopen().await;
    begin(&store, None, 5).await;
    assert_eq!(open_sessions(&store).await, 1 + 2 * left);
}

/// A machine that was copied while it ran has the other's log. Whoever lives says so within a minute, and
/// a restore is told.
pub(crate) async fn a_copy_of_a_log_in_use_is_noticed(store: TestStore) {
    if matches!(store.database, Database::Sqlite(_)) {
        return;
    }
    let (folder, path) = filled_with_log(&store).await;
    let copy = log_in(&folder, "copy.log");
    std::fs::copy(&path, &copy).unwrap();
    let other = node(&store, &copy, "copied", 2).await;
    assert_eq!(open_sessions(&store).await, 1);
    assert_eq!(store.store.beat_log().await, Ok(true));
    assert_eq!(store.store.beat_log().await, Ok(false));
    assert_eq!(other.beat_log().await, Ok(false));
    assert_eq!(open_sessions(&store).await, 2);
    let backup = backup_of(&store.database, store.clock_now()).await;
    for log in [&path, &copy] {
        let found = survey_of(&backup, std::slice::from_ref(log)).await;
        assert!(found.gaps.iter().any(|gap| gap.why.contains("copies of one log")), "{found:?}");
    }
    other.close().await;
}

/// How many transactions on this schema's keys stand as the condition says.
async fn stand(store: &TestStore, condition: &'static str) -> bool {
    crate::opening::ask(store, condition).await != ["0"]
}

/// Its commit waits for a disk that hangs: it has its instant, its record is written.
const BEFORE_COMMIT: &str = "SELECT count(*)::text FROM pg_locks l JOIN pg_class c ON c.oid = l.relation \
    JOIN pg_stat_activity a USING (pid) WHERE c.relnamespace = current_schema()::regnamespace \
    AND c.relname = 'keys' AND l.mode = 'RowExclusiveLock' AND a.state = 'idle in transaction' \
    AND a.query LIKE 'SELECT -1 AS n%'";
/// It waits for another's row.
const WAITING: &str = "SELECT count(*)::text FROM pg_locks l JOIN pg_class c ON c.oid = l.relation \
    JOIN pg_stat_activity a USING (pid) WHERE c.relnamespace = current_schema()::regnamespace \
    AND c.relname = 'keys' AND a.wait_event_type = 'Lock'";
const CUT_OFF: &str = "SELECT count(pg_terminate_backend(pid))::text FROM (SELECT DISTINCT l.pid \
    FROM pg_locks l JOIN pg_class c ON c.oid = l.relation \
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relname = 'keys' \
    AND l.mode = 'RowExclusiveLock') found";

/// LESSONS 1, 12: rows that are written into the log again are held first. Else what another node was just
/// about to commit comes after what is read, and before it in the log: a restore would undo it.
pub(crate) async fn what_is_settled_waits_for_another_nodes_commit(store: TestStore) {
    if matches!(store.database, Database::Sqlite(_)) {
        return;
    }
    let mut store = store;
    let (folder, here) = filled_with_log(&store).await;
    let there = log_in(&folder, "there.log");
    let backup = backup_of(&store.database, store.clock_now()).await;
    let named = KeyRow { name: "Renamed".into(), version: 2, ..key_row(1, 1) };
    assert_eq!(write_key(&store.store, named).await, Ok(true));
    store.reopen().await;
    let other = node(&store, &there, "there", 2).await;
    let log = other.log().unwrap();
    let hanging = log.hang_for_a_test();
    let revoking = other.clone();
    let revoked = KeyRow { revoked_at: Some(minutes(3)), version: 3, ..key_row(1, 1) };
    let revoke = tokio::spawn(async move { write_key(&revoking, revoked).await });
    while !stand(&store, BEFORE_COMMIT).await {
        assert!(!revoke.is_finished());
    }
    let (starting, path, now) = (store.store.clone(), here.clone(), store.clock_now());
    let start = tokio::spawn(async move {
        let log = Log::open(&path, &keys(), Box::new(ChaCha8Rng::seed_from_u64(3)), now).unwrap();
        starting.begin_session(Some(log), "first".into(), "here".into()).await
    });
    while !start.is_finished() && !stand(&store, WAITING).await {}
    drop(hanging);
    assert_eq!(revoke.await.unwrap(), Ok(true));
    start.await.unwrap().unwrap();
    other.end_session().await.unwrap();
    store.store.end_session().await.unwrap();
    other.close().await;
    restored(&backup, &[here, there], &logged_rows(&store.database).await).await;
}

/// A key that was enabled by a commit that never came is not enabled by a restore, though nothing was
/// changed after it and the server stopped in order.
pub(crate) async fn a_stop_settles_what_nobody_knows(store: TestStore) {
    if matches!(store.database, Database::Sqlite(_)) {
        return;
    }
    let (_folder, path) = filled_with_log(&store).await;
    let disabled = KeyRow { disabled: true, version: 2, ..key_row(1, 1) };
    assert_eq!(write_key(&store.store, disabled).await, Ok(true));
    let backup = backup_of(&store.database, store.clock_now()).await;
    let log = store.store.log().unwrap();
    let hanging = log.hang_for_a_test();
    let enabling = store.store.clone();
    let enabled = KeyRow { version: 3, ..key_row(1, 1) };
    let enable = tokio::spawn(async move { write_key(&enabling, enabled).await });
    while !stand(&store, BEFORE_COMMIT).await {
        assert!(!enable.is_finished());
    }
    assert!(stand(&store, CUT_OFF).await);
    drop(hanging);
    assert_eq!(enable.await.unwrap(), Err(StoreError::OutcomeUnknown));
    store.store.end_session().await.unwrap();
    for survey in restored(&backup, &[path], &logged_rows(&store.database).await).await {
        assert!(is_covered(&survey, Ending::Closed), "{survey:?}");
    }
}

/// A start that was killed before it wrote again what an earlier crash left unsettled leaves that to the
/// next one, however much later it came.
pub(crate) async fn a_start_that_was_cut_short_settles_nothing(store: TestStore) {
    let mut store = store;
    let (_folder, path) = filled_with_log(&store).await;
    let backup = backup_of(&store.database, store.clock_now()).await;
    live_on(&store).await;
    let crashed = std::fs::read(&path).unwrap();
    spend(&store, 77).await;
    std::fs::write(&path, &crashed).unwrap();
    store.clock.step(3_600_000_000);
    store.reopen().await;
    begin(&store, Some(&path), 2).await;
    // Cut off behind the record of its beginning.
    let mut log = std::fs::read(&path).unwrap();
    let at = crashed.len();
    let length = u32::from_be_bytes(log[at..at + 4].try_into().unwrap());
    log.truncate(at + 4 + length as usize);
    std::fs::write(&path, log).unwrap();
    store.reopen().await;
    begin(&store, Some(&path), 3).await;
    store.store.end_session().await.unwrap();
    restored(&backup, &[path], &logged_rows(&store.database).await).await;
}

/// A change of files that failed came to nothing, and no restore asks for its session's log.
pub(crate) async fn a_change_of_files_that_failed_leaves_no_hole(store: TestStore) {
    let (folder, path) = filled_with_log(&store).await;
    let before = backup_of(&store.database, store.clock_now()).await;
    let away = log_in(&folder, "away");
    std::fs::rename(&path, &away).unwrap();
    let roll = async |seed| store.store.roll_log(&keys(), Box::new(ChaCha8Rng::seed_from_u64(seed))).await;
    roll(5).await.unwrap_err();
    std::fs::rename(&away, &path).unwrap();
    let between = backup_of(&store.database, store.clock_now()).await;
    live_on(&store).await;
    assert!(survey_of(&between, std::slice::from_ref(&path)).await.gaps.is_empty());
    store.clock.step(1_000_000);
    roll(6).await.unwrap();
    spend(&store, 3).await;
    store.store.end_session().await.unwrap();
    let mut files: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|one| one.unwrap().path()).collect();
    files.retain(|file| !file.file_name().unwrap().to_str().unwrap().starts_with('.'));
    assert_eq!(files.len(), 2, "{files:?}");
    let expected = logged_rows(&store.database).await;
    for backup in [before, between] {
        for place in empty_places().await {
            let survey = restore(&place, &backup, &files).await.unwrap();
            assert!(is_covered(&survey, Ending::Closed), "{survey:?}");
            assert_eq!(logged_rows(&place.database).await, expected);
        }
    }
}
