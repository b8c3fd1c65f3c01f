//! Running one unit of work inside a transaction that is already begun, and PostgreSQL's way of
//! beginning and ending one. SQLite's is in `writer`.

use crate::act::{Job, Ran};
use crate::conn::{Conn, Engine, Ledger, Tx, no_answer, on_engine};
use crate::error::{StoreError, of_commit};
use crate::log::{Logging, Touched};
use futures_util::FutureExt;
use sqlx::Postgres;
use sqlx::pool::PoolConnection;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

/// How long one unit of work may hold a transaction. It only waits for the database, and on SQLite
/// everybody else's waits for it.
const WORK_TIME_MAX: Duration = Duration::from_secs(10);

/// Runs the work. On a panic or after [`WORK_TIME_MAX`] the caller is told, and `None` returned.
pub(crate) async fn run(job: Job, tx: &mut Tx) -> Option<Ran> {
    let Job { work, refuse, .. } = job;
    let work = AssertUnwindSafe(async { work(tx).await }).catch_unwind();
    let refusal = match tokio::time::timeout(WORK_TIME_MAX, work).await {
        Ok(Ok(ran)) => return Some(ran),
        Ok(Err(_)) => StoreError::Other("the work panicked; it was rolled back".to_owned()),
        Err(_) => StoreError::Unavailable("the work took too long; it was rolled back"),
    };
    tx.take_failure();
    let _ = refuse.send(refusal);
    None
}

/// Runs a statement that steers the transaction.
pub(crate) async fn steer(conn: &mut Conn, sql: &'static str) -> Result<(), sqlx::Error> {
    on_engine!(conn, connection => sqlx::raw_sql(sql).execute(connection).await.map(|_| ()))
}

/// Begins, runs and ends one transaction on PostgreSQL, and tells of its commit. A connection of
/// which it is not certain that no transaction is left open on it is closed, not handed to the next.
pub(crate) async fn on_postgres(
    connection: PoolConnection<Postgres>,
    job: Job,
    logging: &Logging,
    committed: Option<Arc<Notify>>,
) {
    let mut tx = Tx(Ledger(Conn::new(Engine::Postgres(connection), true)));
    if let Err(error) = answered(&mut tx, "BEGIN").await {
        discard(&mut tx);
        let _ = job.refuse.send(error.into());
        return;
    }
    match run(job, &mut tx).await {
        Some(mut ran) if ran.keep => {
            let end = end(&mut tx, std::mem::take(&mut ran.touched), logging).await;
            if let Some(committed) = committed {
                committed.notify_one();
            }
            (ran.answer)(end);
        }
        ran => {
            if ran.is_none() || answered(&mut tx, "ROLLBACK").await.is_err() {
                discard(&mut tx);
            }
            if let Some(ran) = ran {
                (ran.answer)(Ok(()));
            }
        }
    }
}

/// Steers a transaction on a server that may have stopped answering.
async fn answered(tx: &mut Tx, sql: &'static str) -> Result<(), sqlx::Error> {
    let answer = tokio::time::timeout(WORK_TIME_MAX, steer(tx, sql)).await;
    answer.unwrap_or_else(|_| Err(no_answer()))
}

/// Commits, after the log has what is committed.
async fn end(tx: &mut Tx, touched: Vec<Touched>, logging: &Logging) -> Result<(), StoreError> {
    let logged = tokio::time::timeout(WORK_TIME_MAX, logging.before_commit(tx, touched)).await;
    let end = match logged.unwrap_or_else(|_| Err(no_answer().into())) {
        Ok(logged) => {
            let end = answered(tx, "COMMIT").await.map_err(of_commit);
            logging.after_commit(logged, &end).await;
            end
        }
        Err(error) => Err(error),
    };
    if end.is_err() {
        discard(tx);
    }
    end
}

/// Has the connection closed when it is given back.
pub(crate) fn discard(conn: &mut Conn) {
    match &mut conn.engine {
        Engine::Sqlite(connection) => connection.close_on_drop(),
        Engine::Postgres(connection) => connection.close_on_drop(),
    }
}

#[cfg(test)]
mod tests {
    use super::steer;
    use crate::conn::{Engine, Tx};
    use crate::log::{Log, LogFile, Next, Record};
    use crate::testing::{START, TestStore, postgres, sqlite};
    use crate::{Acted, AuditFilter, AuditRow, EnvironmentRow, Size, Store, StoreError};
    use keystead_domain::ids::{AuditId, EnvironmentId, OrganizationId, ProjectId};
    use keystead_domain::seal::{RootKey, RootKeys};
    use rand_chacha::ChaCha8Rng;
    use rand_core::SeedableRng;
    use tokio::sync::oneshot;

    fn event(n: u8) -> AuditRow {
        AuditRow {
            id: AuditId([n; 16]),
            organization_id: OrganizationId([1; 16]),
            at: START,
            actor_kind: "system".to_owned(),
            actor_key: None,
            actor_owner: None,
            actor_member: None,
            actor_team: None,
            actor_session: None,
            actor_lineage: None,
            target_lineage: None,
            address: None,
            action: "test".to_owned(),
            target_kind: "test".to_owned(),
            target_id: "test".to_owned(),
            target_name: "test".to_owned(),
            project_id: None,
            before_body: None,
            after_body: None,
            request_id: None,
        }
    }

    async fn fail_at_commit(tx: &mut Tx) -> Result<(), StoreError> {
        steer(tx, "PRAGMA defer_foreign_keys = ON").await?;
        tx.insert_environment(&EnvironmentRow {
            id: EnvironmentId([1; 16]),
            organization_id: OrganizationId([1; 16]),
            project_id: ProjectId([9; 16]),
            name: "Lost".to_owned(),
            slug: "lost".to_owned(),
            tag: "lost".to_owned(),
            created_at: START,
            updated_at: START,
            version: 1,
        })
        .await
    }

    async fn act(store: &Store, n: u8) -> Result<(), StoreError> {
        store
            .act(move |_| {
                Box::pin(async move { Ok(Acted { value: (), events: vec![event(n)], changes: Vec::new() }) })
            })
            .await
    }

    async fn act_that_fails_at_commit(store: &Store) -> Result<(), StoreError> {
        store
            .act(|tx| {
                Box::pin(async move {
                    fail_at_commit(tx).await?;
                    Ok(Acted { value: (), events: vec![event(1)], changes: Vec::new() })
                })
            })
            .await
    }

    /// Has the store write `a.log` from now on; with what opens it.
    async fn log_of(store: &Store) -> (tempfile::TempDir, RootKeys) {
        let folder = tempfile::tempdir().unwrap();
        let keys = RootKeys::new(RootKey::new(&[7; 32]).unwrap(), Vec::new());
        let random = Box::new(ChaCha8Rng::seed_from_u64(1));
        let log = Log::open(&folder.path().join("a.log"), &keys, random, START).unwrap();
        store.begin_session(Some(log), "first".into(), "here".into()).await.unwrap();
        (folder, keys)
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_refused_commit_is_told_to_everybody_in_the_group() {
        let TestStore { store, .. } = &sqlite().await;
        // The first holds the writer until the second waits in the queue.
        let (begun, is_begun) = oneshot::channel::<()>();
        let (go, wait) = oneshot::channel::<()>();
        let first = tokio::spawn({
            let store = store.clone();
            async move {
                let result: Result<(), StoreError> = store
                    .act(|tx| {
                        Box::pin(async move {
                            let _ = begun.send(());
                            let _ = wait.await;
                            fail_at_commit(tx).await?;
                            Ok(Acted { value: (), events: vec![event(1)], changes: Vec::new() })
                        })
                    })
                    .await;
                result
            }
        });
        is_begun.await.unwrap();
        let second = act(store, 2);
        let release = async {
            // `join!` polls in order: the second is in the queue by now.
            let _ = go.send(());
        };
        let (second, ()) = tokio::join!(second, release);
        let refused = Err(StoreError::Unavailable("the commit was refused"));
        assert_eq!(first.await.unwrap(), refused);
        assert_eq!(second, refused);
        assert_eq!(act(store, 3).await, Ok(()));
        let mut reader = store.read().await.unwrap();
        let filter = AuditFilter::of(OrganizationId([1; 16]));
        let found = reader.audit(&filter, None, 9).await.unwrap();
        assert_eq!(found, [event(3)]);
    }

    /// Under a savepoint each statement of a large act would take longer than the one before.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_large_act_is_the_first_of_its_group() {
        let TestStore { store, .. } = &sqlite().await;
        let (begun, is_begun) = oneshot::channel::<()>();
        let (go, wait) = oneshot::channel::<()>();
        let first = tokio::spawn({
            let store = store.clone();
            async move {
                let held: Result<(), StoreError> = store
                    .act(|_| {
                        Box::pin(async move {
                            let _ = begun.send(());
                            let _ = wait.await;
                            Ok(Acted { value: (), events: vec![event(1)], changes: Vec::new() })
                        })
                    })
                    .await;
                held
            }
        });
        is_begun.await.unwrap();
        let of_size = async |size, n| {
            let is_saved: Result<bool, StoreError> = store
                .act_of(size, move |tx| {
                    Box::pin(async move {
                        // Fails where there is none.
                        let is_saved = steer(tx, "RELEASE act; SAVEPOINT act").await.is_ok();
                        Ok(Acted { value: is_saved, events: vec![event(n)], changes: Vec::new() })
                    })
                })
                .await;
            is_saved
        };
        let release = async {
            // `join!` polls in order: the others are in the queue by now.
            let _ = go.send(());
        };
        let (small, large, other, ()) =
            tokio::join!(of_size(Size::Usual, 2), of_size(Size::Large, 3), of_size(Size::Usual, 4), release);
        assert_eq!(first.await.unwrap(), Ok(()));
        assert_eq!((small, large, other), (Ok(true), Ok(false), Ok(true)));
    }

    /// What the log has of a commit that failed is taken back, so that a restore does not do it.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_refused_commit_is_taken_back_from_the_log() {
        let TestStore { store, .. } = &sqlite().await;
        let (folder, keys) = log_of(store).await;
        let refused = act_that_fails_at_commit(store).await;
        assert_eq!(refused, Err(StoreError::Unavailable("the commit was refused")));
        assert_eq!(act(store, 2).await, Ok(()));
        let mut read = LogFile::open(&folder.path().join("a.log"), &keys).unwrap();
        let (mut rows, mut undone) = (Vec::new(), Vec::new());
        while let Next::Record(number, record) = read.next().unwrap() {
            match record {
                Record::Rows(_) => rows.push(number),
                Record::Undone { record } => undone.push(record),
                _ => {}
            }
        }
        assert_eq!((rows.len(), undone), (2, vec![rows[0]]));
    }

    /// One that could not be taken back, because the disk hung, is written again as things are before
    /// the log is closed: nothing after a close is ever settled.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_refused_commit_that_was_not_taken_back_is_settled_before_the_log_is_closed() {
        let TestStore { store, .. } = &sqlite().await;
        let (folder, keys) = log_of(store).await;
        let log = store.log().unwrap();
        let hanging = log.hang_for_a_test();
        let refused = act_that_fails_at_commit(store).await;
        assert_eq!(refused, Err(StoreError::Unavailable("the commit was refused")));
        drop(hanging);
        store.end_session().await.unwrap();
        let mut read = LogFile::open(&folder.path().join("a.log"), &keys).unwrap();
        let mut found = Vec::new();
        while let Next::Record(_, record) = read.next().unwrap() {
            match record {
                Record::Rows(images) => found.extend(images.sets.iter().map(|set| set.rows.len())),
                Record::End { .. } => found.push(9),
                _ => {}
            }
        }
        // The audit record and the environment, then that neither is there, then the close.
        assert_eq!(found, [1, 1, 0, 0, 9]);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_commit_without_an_answer_is_not_taken_for_a_failure() {
        let Some(TestStore { store, .. }) = &postgres().await else {
            println!("not run: {} is not set", crate::testing::POSTGRES_VARIABLE);
            return;
        };
        let other = store.clone();
        let result: Result<(), StoreError> = store
            .bookkeeping(|ledger| {
                Box::pin(async move {
                    let Engine::Postgres(connection) = &mut ledger.engine else { unreachable!() };
                    let (pid,): (i32,) =
                        sqlx::query_as("SELECT pg_backend_pid()").fetch_one(&mut **connection).await?;
                    let mut reader = other.read().await?;
                    let Engine::Postgres(connection) = &mut reader.engine else { unreachable!() };
                    sqlx::query("SELECT pg_terminate_backend($1, 5000)")
                        .bind(pid)
                        .execute(&mut **connection)
                        .await?;
                    // Only the commit is left.
                    Ok(())
                })
            })
            .await;
        assert_eq!(result, Err(StoreError::OutcomeUnknown));
    }
}
