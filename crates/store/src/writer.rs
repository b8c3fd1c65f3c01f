//! SQLite's one writer: it takes the units of work that wait at the same time, runs each behind a
//! savepoint in one transaction, and answers all of them after the one fsync that they share.

use crate::act::{Job, Ran, Size};
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
    let mut next = None;
    loop {
        let job = match next.take() {
            Some(job) => Some(job),
            None => tokio::select! {
                job = queue.recv() => job,
                () = closing.notified() => {
                    queue.close();
                    continue;
                }
            },
        };
        let Some(job) = job else { break };
        match pool.acquire().await {
            Ok(connection) => {
                let tx = Tx(Ledger(Conn::new(Engine::Sqlite(connection), true)));
                next = group(tx, job, &mut queue, &logging).await;
            }
            Err(error) => {
                let _ = job.refuse.send(error.into());
            }
        }
    }
    pool.close().await;
}

/// Until the queue is empty, all in one transaction. The first unit needs no savepoint: there is nothing else
/// to keep when it is undone. SQLite copies every page that changes under one, and with many statements that
/// takes longer the longer the unit is. So a large one is the first: it ends the group before it, and is returned.
async fn group(mut tx: Tx, first: Job, queue: &mut mpsc::Receiver<Job>, logging: &Logging) -> Option<Job> {
    if let Err(error) = steer(&mut tx, "BEGIN IMMEDIATE").await {
        discard(&mut tx);
        let _ = first.refuse.send(error.into());
        return None;
    }
    let mut kept = match run(first, &mut tx).await {
        Some(ran) if ran.keep => vec![ran],
        ran => {
            if steer(&mut tx, "ROLLBACK").await.is_err() {
                discard(&mut tx);
            }
            drop(tx);
            if let Some(ran) = ran {
                (ran.answer)(Ok(()));
            }
            return None;
        }
    };
    let (mut mark, mut next) = ("SAVEPOINT act", None);
    for _ in 1..GROUP_MAX {
        let Ok(job) = queue.try_recv() else { break };
        if job.size == Size::Large {
            next = Some(job);
            break;
        }
        if !one(&mut tx, job, mark, &mut kept).await {
            discard(&mut tx);
            answer(kept, &Err(StoreError::Unavailable("the transaction was lost; nothing of it stands")));
            return next;
        }
        mark = "RELEASE act; SAVEPOINT act";
    }
    let touched = kept.iter_mut().flat_map(|ran| std::mem::take(&mut ran.touched)).collect();
    let logged = logging.before_commit(&mut tx, touched).await;
    let end = match logged {
        Ok(logged) => {
            let end = end(&mut tx).await;
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
    next
}

/// Runs a unit behind a savepoint of its own, which stays open; `false` when the whole transaction is lost.
async fn one(tx: &mut Tx, job: Job, mark: &'static str, kept: &mut Vec<Ran>) -> bool {
    if let Err(error) = steer(tx, mark).await {
        let _ = job.refuse.send(error.into());
        return false;
    }
    match run(job, tx).await {
        Some(ran) if ran.keep => {
            kept.push(ran);
            true
        }
        ran => {
            let undone = steer(tx, "ROLLBACK TO act").await.is_ok();
            if let Some(ran) = ran {
                (ran.answer)(Ok(()));
            }
            undone
        }
    }
}

async fn end(tx: &mut Tx) -> Result<(), StoreError> {
    let ended = steer(tx, "COMMIT").await;
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
