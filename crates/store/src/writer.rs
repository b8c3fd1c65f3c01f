//! SQLite's one writer: it takes the units of work that wait at the same time, gives each a
//! savepoint in one transaction, and answers all of them after the one fsync that they share.

use crate::act::{Job, Ran};
use crate::conn::{Conn, Engine, Ledger, Tx};
use crate::error::{StoreError, of_commit};
use crate::log::Logging;
use crate::owner::FileOwner;
use crate::transaction::{discard, run, steer};
use sqlx::SqlitePool;
use std::sync::Arc;
use tokio::sync::{Notify, mpsc};

/// How many units of work share one commit at most: a group's latency stays near one fsync's.
const GROUP_MAX: usize = 256;

/// Works until the queue is closed and empty. It holds the file's lock as long as it may write.
pub(crate) async fn work(
    pool: SqlitePool,
    mut queue: mpsc::Receiver<Job>,
    closing: Arc<Notify>,
    logging: Arc<Logging>,
    _owner: Arc<FileOwner>,
) {
    loop {
        let job = tokio::select! {
            job = queue.recv() => job,
            () = closing.notified() => {
                queue.close();
                continue;
            }
        };
        let Some(job) = job else { break };
        match pool.acquire().await {
            Ok(connection) => {
                let tx = Tx(Ledger(Conn::new(Engine::Sqlite(connection), true)));
                group(tx, job, &mut queue, &logging).await;
            }
            Err(error) => {
                let _ = job.refuse.send(error.into());
            }
        }
    }
    pool.close().await;
}

/// How one unit of work ended within its group.
enum Ended {
    /// It waits for the group's commit.
    Kept(Ran),
    /// It is rolled back and answered.
    Undone,
    /// The whole transaction is lost, this unit with it.
    Broken(Option<Ran>),
}

async fn group(mut tx: Tx, first: Job, queue: &mut mpsc::Receiver<Job>, logging: &Logging) {
    if let Err(error) = steer(&mut tx, "BEGIN IMMEDIATE; SAVEPOINT act").await {
        discard(&mut tx);
        let _ = first.refuse.send(error.into());
        return;
    }
    let mut kept = Vec::new();
    let mut next = Some(first);
    let mut count = 0;
    while let Some(job) = next {
        match one(&mut tx, job).await {
            Ended::Kept(ran) => kept.push(ran),
            Ended::Undone => {}
            Ended::Broken(ran) => {
                kept.extend(ran);
                discard(&mut tx);
                answer(kept, &Err(StoreError::Unavailable("the transaction was lost; nothing of it stands")));
                return;
            }
        }
        count += 1;
        next = if count < GROUP_MAX { queue.try_recv().ok() } else { None };
    }
    let touched = kept.iter_mut().flat_map(|ran| std::mem::take(&mut ran.touched)).collect();
    let logged = logging.before_commit(&mut tx, touched).await;
    let end = match logged {
        Ok(logged) => {
            let end = end(&mut tx, !kept.is_empty()).await;
            logging.after_commit(logged, &end).await;
            end
        }
        Err(error) => {
            discard(&mut tx);
            Err(error)
        }
    };
    // The connection is free before the first caller comes back with more.
    drop(tx);
    answer(kept, &end);
}

/// Runs a unit in the savepoint that is open, and leaves another one open for the next.
async fn one(tx: &mut Tx, job: Job) -> Ended {
    match run(job, tx).await {
        Some(ran) if ran.keep => match steer(tx, "RELEASE act; SAVEPOINT act").await {
            Ok(()) => Ended::Kept(ran),
            Err(_) => Ended::Broken(Some(ran)),
        },
        ran => match steer(tx, "ROLLBACK TO act").await {
            Ok(()) => {
                if let Some(ran) = ran {
                    (ran.answer)(Ok(()));
                }
                Ended::Undone
            }
            Err(_) => Ended::Broken(ran),
        },
    }
}

async fn end(tx: &mut Tx, commit: bool) -> Result<(), StoreError> {
    let ended = steer(tx, if commit { "COMMIT" } else { "ROLLBACK" }).await;
    if ended.is_err() {
        let rolled_back = steer(tx, "ROLLBACK").await.is_ok();
        discard(tx);
        if !rolled_back {
            return Err(StoreError::OutcomeUnknown);
        }
    }
    ended.map_err(|error| match of_commit(error) {
        StoreError::OutcomeUnknown => StoreError::OutcomeUnknown,
        // What one of them was refused for is not the others' concern.
        _ => StoreError::Unavailable("the commit was refused"),
    })
}

fn answer(kept: Vec<Ran>, end: &Result<(), StoreError>) {
    for ran in kept {
        (ran.answer)(end.clone());
    }
}
