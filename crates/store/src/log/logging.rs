//! What commits are told to: each is in the log before it is made, and what of it nobody knows is
//! written again as it is.

use super::session::Session;
use super::{Appended, Log, Record, Touched, capture};
use crate::conn::Conn;
use crate::error::StoreError;
use crate::store::Store;
use arc_swap::ArcSwapOption;
use keystead_domain::time::Clock;
use parking_lot::Mutex;
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::sync::{RwLock, RwLockReadGuard};

/// Rows whose commits' outcomes are not known; more than these, and the log says that it has a hole.
const UNSETTLED_MAX: usize = 4_096;

/// What commits are told to, once a session has begun.
pub(crate) struct Logging {
    pub(super) log: ArcSwapOption<Log>,
    pub(super) session: Mutex<Option<Session>>,
    /// Commits hold it from their record to their end, and another file takes over between them: a
    /// backup that was written later needs none of the file before.
    pub(super) turns: RwLock<()>,
    pub(super) clock: Arc<dyn Clock>,
    /// Rows of which the log may say what was never committed.
    unsettled: Mutex<BTreeSet<Touched>>,
}

/// What the log has of a commit that is about to be. Let go of without a word, as when whoever waits
/// for a silent database gives up, it is settled later.
pub(crate) struct Logged<'l> {
    logging: &'l Logging,
    log: Option<(Arc<Log>, RwLockReadGuard<'l, ()>)>,
    appended: Vec<Appended>,
    touched: Vec<Touched>,
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
        let mut logged = self.in_doubt(Vec::new());
        if touched.is_empty() || self.log.load().is_none() {
            return Ok(logged);
        }
        let turn = self.turns.read().await;
        let Some(log) = self.log() else { return Ok(logged) };
        logged.log = Some((Arc::clone(&log), turn));
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

    /// Takes it back unless the commit stands; what cannot be taken back is settled later.
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
            logged.touched.clear();
        }
    }

    /// Whether the log may say of some row what was never committed.
    pub(super) fn is_unsettled(&self) -> bool {
        !self.unsettled.lock().is_empty()
    }

    const fn in_doubt(&self, touched: Vec<Touched>) -> Logged<'_> {
        Logged { logging: self, log: None, appended: Vec::new(), touched }
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

/// Writes again, as they are, the rows of which the log may say what was never committed.
pub(crate) async fn settle(store: &Store, logging: &Logging) -> Result<(), StoreError> {
    let rows = std::mem::take(&mut *logging.unsettled.lock());
    write_again(store, logging, rows.into_iter().collect()).await
}

/// Writes rows into the log as they are, in a transaction that holds them: what another node is about
/// to commit of them, or a connection that was lost, must not come after what is read here.
pub(super) async fn write_again(
    store: &Store,
    logging: &Logging,
    rows: Vec<Touched>,
) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut in_doubt = logging.in_doubt(rows.clone());
    let written = store.bookkeeping(move |ledger| {
        Box::pin(async move {
            capture::hold(ledger, &rows).await?;
            for Touched { table, target } in rows {
                ledger.touch(table, target);
            }
            Ok(())
        })
    });
    written.await.inspect(|()| in_doubt.touched.clear())
}
