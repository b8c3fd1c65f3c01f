//! A process's time with a log: begun before anybody acts, told in the database and in the log,
//! ended in order or found to have ended.

use super::logging::{Logging, settle, write_again};
use super::record::{Begin, Record};
use super::thread::{START_WAIT_MAX, WAIT_MAX};
use super::{Appended, Log, LogFileError, LogTail, capture};
use crate::error::StoreError;
use crate::schema::SUPPORTED;
use crate::store::Store;
use keystead_domain::seal::RootKeys;
use keystead_domain::time::Micros;
use rand_core::Rng;
use std::sync::Arc;
use std::time::Duration;

/// Two processes that begin at the same moment meet; more often than this they do not.
const TRIES_MAX: usize = 16;

/// The session that is open.
#[derive(Clone)]
pub(super) struct Session {
    number: i64,
    epoch: String,
    place: String,
}

/// The clock that records go by: PostgreSQL's, the same for every node.
async fn now(store: &Store, logging: &Logging) -> Result<Micros, StoreError> {
    let clock = capture::server_clock(&mut *store.read().await?).await?;
    Ok(clock.unwrap_or_else(|| logging.clock.now()))
}

pub(crate) async fn begin(
    store: &Store,
    logging: &Logging,
    log: Option<(Log, LogTail)>,
    epoch: String,
    place: String,
) -> Result<(), StoreError> {
    let at = now(store, logging).await?;
    let id = log.as_ref().map(|(log, _)| log.id());
    let last = |begun: &Option<(String, i64)>| {
        begun.as_ref().filter(|(of, _)| *of == epoch).map(|(_, number)| *number)
    };
    let before = log.as_ref().map_or(&[][..], |(_, tail)| tail.before.as_slice());
    let after = before.iter().filter_map(|one| last(&one.begun)).max();
    let before = before.iter().map(|one| (one.log, last(&one.begun).unwrap_or(0))).collect();
    let (number, follows) = number(store, &place, id, before, true, at).await?;
    let session = Session { number, epoch, place };
    *logging.session.lock() = Some(session.clone());
    let Some((log, tail)) = log else { return Ok(()) };
    write_begin((&log, START_WAIT_MAX), session, follows, after, at).await?;
    logging.log.store(Some(Arc::new(log)));
    write_again(store, logging, tail.unsettled).await
}

async fn write_begin(
    (log, wait_max): (&Log, Duration),
    session: Session,
    follows: Vec<i64>,
    after: Option<i64>,
    at: Micros,
) -> Result<(), StoreError> {
    let Session { number, epoch, place } = session;
    let begin = Begin { number, epoch, schema: SUPPORTED, place, at: at.0, follows, after };
    match log.append_within(wait_max, Record::Begin(begin)).await {
        Appended::Written(_) => Ok(()),
        _ => Err(StoreError::Unavailable("the log beside the database cannot be written")),
    }
}

/// Goes on in another file, as another session. Of a backup that is written meanwhile both are
/// asked for.
pub(crate) async fn roll(
    store: &Store,
    logging: &Logging,
    keys: &RootKeys,
    rng: Box<dyn Rng + Send>,
) -> Result<(), RollError> {
    let (before, session) = (logging.log(), logging.session.lock().clone());
    let (Some(before), Some(session)) = (before, session) else { return Ok(()) };
    let at = now(store, logging).await?;
    let (log, replaced) = before.next(keys, rng)?;
    let replaced = replaced.into_iter().map(|log| (log, 0)).collect();
    let (number, follows) = number(store, &session.place, Some(log.id()), replaced, false, at).await?;
    let next = Session { number, ..session.clone() };
    let taken = take_over(logging, &before, log, next, follows, at).await;
    // Of one that came to nothing no restore must ask for the log.
    let ended = if taken.is_ok() { session.number } else { number };
    store.bookkeeping(move |ledger| Box::pin(async move { ledger.end_log_session(ended, at).await })).await?;
    taken
}

async fn take_over(
    logging: &Logging,
    before: &Log,
    log: Log,
    next: Session,
    follows: Vec<i64>,
    at: Micros,
) -> Result<(), RollError> {
    let after = logging.session.lock().as_ref().map(|session| session.number);
    write_begin((&log, WAIT_MAX), next.clone(), follows, after, at).await?;
    {
        let _every_turn = logging.turns.write().await;
        log.take_over(before, at)?;
        logging.log.store(Some(Arc::new(log)));
        *logging.session.lock() = Some(next);
    }
    before.append(Record::End { at: at.0 }).await;
    Ok(())
}

/// Why no other file was begun.
#[derive(Debug, thiserror::Error)]
pub enum RollError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The files.
    #[error(transparent)]
    File(#[from] LogFileError),
}

/// Begins a session: its number, and the numbers of those that wrote nothing. Each log of `before` has
/// no writer any more, which its file's lock proves, and comes with the number of its last session that
/// wrote something. `alone` ends what else a process that is no more has left open.
async fn number(
    store: &Store,
    place: &str,
    log: Option<[u8; 16]>,
    before: Vec<([u8; 16], i64)>,
    alone: bool,
    now: Micros,
) -> Result<(i64, Vec<i64>), StoreError> {
    let mut tries = 0;
    loop {
        let (place, before) = (place.to_owned(), before.clone());
        let begun: Result<(i64, Vec<i64>), StoreError> = store
            .bookkeeping(move |ledger| {
                Box::pin(async move {
                    let mut follows = Vec::new();
                    for (id, begun) in before {
                        follows.extend(ledger.log_sessions_after(id, begun).await?);
                        ledger.end_log_sessions_of(id, now).await?;
                    }
                    if alone {
                        ledger.end_log_sessions_left(&place, now).await?;
                    }
                    Ok((ledger.begin_log_session(&place, log, now).await?, follows))
                })
            })
            .await;
        match begun {
            Err(StoreError::Unique(_) | StoreError::Conflict) if tries < TRIES_MAX => tries += 1,
            other => return other,
        }
    }
}

/// Writes a sign of life; whether another process had taken this session for ended.
pub(crate) async fn beat(store: &Store, logging: &Logging) -> Result<bool, StoreError> {
    let session = logging.session.lock().as_ref().map(|session| session.number);
    let (Some(log), Some(number)) = (logging.log(), session) else { return Ok(false) };
    let keep =
        store.bookkeeping(move |ledger| Box::pin(async move { ledger.keep_log_session(number).await }));
    let was_ended = keep.await?;
    // Without the database nothing is committed, and nothing has to be told.
    log.beat(now(store, logging).await?).await;
    Ok(was_ended)
}

/// Ends the session. A log that may still say what was never committed is not closed: the next start
/// settles that.
pub(crate) async fn end(store: &Store, logging: &Logging) -> Result<(), StoreError> {
    let session = logging.session.lock().as_ref().map(|session| session.number);
    let Some(number) = session else { return Ok(()) };
    settle(store, logging).await?;
    let at = now(store, logging).await?;
    store
        .bookkeeping(move |ledger| Box::pin(async move { ledger.end_log_session(number, at).await }))
        .await?;
    match logging.log() {
        Some(log) if !logging.is_unsettled() => {
            log.append(Record::End { at: at.0 }).await;
            Ok(())
        }
        Some(_) => Err(StoreError::OutcomeUnknown),
        None => Ok(()),
    }
}
