//! A process's time with a log: begun before anybody acts, told in the database and in the log,
//! ended in order or found to have ended.

use super::record::{Begin, Record};
use super::{Appended, Log, LogFileError, LogTail, Touched, capture};
use crate::conn::Conn;
use crate::error::StoreError;
use crate::schema::SUPPORTED;
use crate::store::Store;
use arc_swap::ArcSwapOption;
use keystead_domain::seal::RootKeys;
use keystead_domain::time::{Clock, Micros};
use parking_lot::Mutex;
use rand_core::Rng;
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::sync::{RwLock, RwLockReadGuard};

/// Two processes that begin at the same moment meet; more often than this they do not.
const TRIES_MAX: usize = 16;
/// Rows whose commits' outcomes are not known; more than these, and the log says that it has a hole.
const UNSETTLED_MAX: usize = 4_096;

/// What commits are told to, once a session has begun.
pub(crate) struct Logging {
    log: ArcSwapOption<Log>,
    session: Mutex<Option<Session>>,
    /// Commits hold it from their record to their end, and another file takes over between them: a
    /// backup that was written later needs none of the file before.
    turns: RwLock<()>,
    clock: Arc<dyn Clock>,
    /// Rows of which the log may say what was never committed: they go into the next record as they are.
    unsettled: Mutex<BTreeSet<Touched>>,
}

/// The session that is open.
#[derive(Clone)]
struct Session {
    number: i64,
    epoch: String,
    place: String,
}

/// What the log has of a commit that is about to be. Let go of without a word, as when whoever waits
/// for a silent database gives up, it is settled by the next commit.
pub(crate) struct Logged<'l> {
    logging: &'l Logging,
    log: Option<(Arc<Log>, RwLockReadGuard<'l, ()>)>,
    appended: Vec<Appended>,
    touched: Vec<Touched>,
    /// How many of them were unsettled before.
    unsettled: usize,
}

impl Logging {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            log: ArcSwapOption::empty(),
            session: Mutex::new(None),
            turns: RwLock::new(()),
            clock,
            unsettled: Mutex::new(BTreeSet::new()),
        }
    }

    pub(crate) fn log(&self) -> Option<Arc<Log>> {
        self.log.load_full()
    }

    /// Writes what is about to be committed.
    pub(crate) async fn before_commit(
        &self,
        conn: &mut Conn,
        mut touched: Vec<Touched>,
    ) -> Result<Logged<'_>, StoreError> {
        let (appended, all) = (Vec::new(), Vec::new());
        let mut logged = Logged { logging: self, log: None, appended, touched: all, unsettled: 0 };
        if touched.is_empty() || self.log.load().is_none() {
            return Ok(logged);
        }
        let turn = self.turns.read().await;
        let Some(log) = self.log() else { return Ok(logged) };
        logged.log = Some((Arc::clone(&log), turn));
        logged.touched.extend(std::mem::take(&mut *self.unsettled.lock()));
        logged.unsettled = logged.touched.len();
        logged.touched.append(&mut touched);
        match log.write(conn, &logged.touched, self.clock.now(), &mut logged.appended).await {
            Ok(()) => Ok(logged),
            Err(error) => {
                self.after_commit(logged, &Err(error.clone())).await;
                Err(error)
            }
        }
    }

    /// Lets go of the log: what comes now is not in it.
    pub(crate) fn release(&self) {
        if let Some(log) = self.log.swap(None) {
            log.release();
        }
    }

    /// Takes it back unless the commit stands; what cannot be taken back is settled by the next one.
    pub(crate) async fn after_commit(&self, mut logged: Logged<'_>, end: &Result<(), StoreError>) {
        let Some((log, _)) = &logged.log else { return };
        let Err(error) = end else {
            logged.touched.clear();
            return;
        };
        let mut taken_back = *error != StoreError::OutcomeUnknown;
        if taken_back {
            for appended in &logged.appended {
                taken_back &= match appended {
                    Appended::Written(record) => {
                        let undone = log.append(Record::Undone { record: *record }).await;
                        matches!(undone, Appended::Written(_))
                    }
                    Appended::Waiting => false,
                    Appended::Missing => true,
                };
            }
        }
        if taken_back {
            logged.touched.truncate(logged.unsettled);
        }
    }

    fn settle_later(&self, touched: &mut Vec<Touched>) {
        let mut unsettled = self.unsettled.lock();
        unsettled.extend(touched.drain(..));
        if unsettled.len() > UNSETTLED_MAX {
            unsettled.clear();
            self.log().inspect(|log| log.miss());
        }
    }
}

impl Drop for Logged<'_> {
    fn drop(&mut self) {
        if !self.touched.is_empty() {
            self.logging.settle_later(&mut self.touched);
        }
    }
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
    let (now, id) = (now(store, logging).await?, log.as_ref().map(|(log, _)| log.id()));
    let begun = log.as_ref().and_then(|(_, tail)| tail.begun.as_ref());
    let begun = begun.filter(|(of, _)| *of == epoch).map_or(0, |(_, number)| *number);
    let next = log.as_ref().and_then(|(_, tail)| tail.next);
    let silent: Vec<([u8; 16], i64)> =
        id.map(|id| (id, begun)).into_iter().chain(next.map(|id| (id, 0))).collect();
    let (number, follows) = number(store, &place, id, silent, true, now).await?;
    let session = Session { number, epoch, place };
    *logging.session.lock() = Some(session.clone());
    let Some((log, tail)) = log else { return Ok(()) };
    write_begin(&log, session, follows, now).await?;
    logging.log.store(Some(Arc::new(log)));
    store
        .bookkeeping(|ledger| {
            Box::pin(async move {
                for Touched { table, target } in tail.unsettled {
                    ledger.touch(table, target);
                }
                Ok::<_, StoreError>(())
            })
        })
        .await
}

async fn write_begin(log: &Log, session: Session, follows: Vec<i64>, at: Micros) -> Result<(), StoreError> {
    let Session { number, epoch, place } = session;
    let begin = Record::Begin(Begin { number, epoch, schema: SUPPORTED, place, at: at.0, follows });
    match log.append(begin).await {
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
    let log = Arc::new(before.next(keys, rng)?);
    let (number, _) = number(store, &session.place, Some(log.id()), Vec::new(), false, at).await?;
    let next = Session { number, ..session.clone() };
    write_begin(&log, next.clone(), Vec::new(), at).await?;
    {
        let _every_turn = logging.turns.write().await;
        log.take_over(&before, at)?;
        logging.log.store(Some(log));
        *logging.session.lock() = Some(next);
    }
    before.append(Record::End { at: at.0 }).await;
    let ended = session.number;
    store.bookkeeping(move |ledger| Box::pin(async move { ledger.end_log_session(ended, at).await })).await?;
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

/// Begins a session: its number, and those that wrote nothing: each log of `silent` comes with the
/// number of the last one that did. `alone` ends what was open at the place.
async fn number(
    store: &Store,
    place: &str,
    log: Option<[u8; 16]>,
    silent: Vec<([u8; 16], i64)>,
    alone: bool,
    now: Micros,
) -> Result<(i64, Vec<i64>), StoreError> {
    let mut tries = 0;
    loop {
        let (place, silent) = (place.to_owned(), silent.clone());
        let begun: Result<(i64, Vec<i64>), StoreError> = store
            .bookkeeping(move |ledger| {
                Box::pin(async move {
                    let mut follows = Vec::new();
                    for (id, begun) in silent {
                        follows.extend(ledger.log_sessions_after(id, begun).await?);
                    }
                    if alone {
                        ledger.end_log_sessions_of(&place, now).await?;
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

pub(crate) async fn beat(store: &Store, logging: &Logging) -> Result<(), StoreError> {
    let Some(log) = logging.log() else { return Ok(()) };
    // Without the database nothing is committed, and nothing has to be told.
    log.beat(now(store, logging).await?).await;
    Ok(())
}

pub(crate) async fn end(store: &Store, logging: &Logging) -> Result<(), StoreError> {
    let session = logging.session.lock().as_ref().map(|session| session.number);
    let Some(number) = session else { return Ok(()) };
    let now = now(store, logging).await?;
    store
        .bookkeeping(move |ledger| Box::pin(async move { ledger.end_log_session(number, now).await }))
        .await?;
    if let Some(log) = logging.log() {
        log.append(Record::End { at: now.0 }).await;
    }
    Ok(())
}
