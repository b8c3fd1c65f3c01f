//! The log beside the database: what was changed and spent, as it happens, so that a restored
//! backup neither revives what was revoked since nor gives spent credits back.
//!
//! Each commit's changed rows are written to it, as they will be, and synced before the commit: what
//! was acknowledged is in it. A commit that then fails is taken back by a second record. A log that
//! cannot be written stops nobody: revoking must work when a disk is full, or hangs. The hole is written
//! down as soon as writing works again, and [`Log::failing_since`] tells it until then.

pub(crate) mod capture;
mod file;
mod logging;
mod places;
mod read;
mod record;
mod seal;
pub(crate) mod session;
mod thread;

pub(crate) use capture::Touched;
pub(crate) use logging::{Logging, settle};
pub(crate) use places::logged;
pub use places::{is_logged, not_logged};
pub(crate) use read::Next;
pub use read::{LogFile, LogFileError};
pub(crate) use record::{Begin, Images, Record, Set};
pub use session::RollError;

use crate::conn::Conn;
use crate::error::StoreError;
use keystead_domain::seal::RootKeys;
use keystead_domain::time::Micros;
use rand_core::Rng;
use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
pub(crate) use thread::Appended;
use thread::{Thread, WAIT_MAX};

/// The installation's value that names the life of the database; a restore begins another.
pub const EPOCH: &str = "log_epoch";

/// A log that is being written.
pub struct Log {
    thread: Thread,
    /// The instant of the last record: each is later than the one before, whatever the clock does.
    last: AtomicI64,
}

impl Log {
    /// Opens the log at `path`, or begins one; it is sealed by the root key.
    ///
    /// # Errors
    /// When the file can be neither read nor written.
    pub fn open(
        path: &Path,
        keys: &RootKeys,
        rng: Box<dyn Rng + Send>,
        now: Micros,
    ) -> Result<(Self, LogTail), LogFileError> {
        let (writing, tail) = file::open(path, keys, rng, now)?;
        let last = AtomicI64::new(tail.last_at.map_or(i64::MIN, |at| at.0));
        Ok((Self { thread: Thread::start(writing), last }, tail))
    }

    /// Begins the file that comes after this one, beside it; also the id of the one that it replaces
    /// there, which came to nothing.
    pub(crate) fn next(
        &self,
        keys: &RootKeys,
        rng: Box<dyn Rng + Send>,
    ) -> Result<(Self, Option<[u8; 16]>), LogFileError> {
        let (writing, replaced) = file::begin_next(self.thread.path(), keys, rng, self.thread.locked())?;
        let last = AtomicI64::new(self.last.load(Ordering::Relaxed));
        Ok((Self { thread: Thread::start(writing), last }, replaced))
    }

    /// Takes the name of the one before.
    pub(crate) fn take_over(&self, before: &Self, now: Micros) -> Result<(), LogFileError> {
        // Nothing is written to that one any more.
        self.last.fetch_max(before.last.load(Ordering::Relaxed), Ordering::Relaxed);
        file::take_over(self.thread.path(), now)
    }

    /// Lets another process write it.
    pub(crate) fn release(&self) {
        // The system does it at the latest when this process ends.
        let _ = self.thread.locked().unlock();
    }

    /// Whether the file is so long that another should be begun.
    #[must_use]
    pub fn is_long(&self) -> bool {
        self.thread.bytes() > file::FILE_BYTES_MAX
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> [u8; 16] {
        self.thread.id()
    }

    /// Since when it could not be written; `None` when it can.
    #[must_use]
    pub fn failing_since(&self) -> Option<Micros> {
        self.thread.failing_since()
    }

    /// Has its header sealed by the current root key.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub async fn reseal(&self, keys: &RootKeys, rng: &mut (dyn Rng + Send)) -> Result<(), LogFileError> {
        self.thread.put_header(keys, rng).await
    }

    /// Writes what a transaction that is about to commit has changed.
    pub(crate) async fn write(
        &self,
        conn: &mut Conn,
        touched: &[Touched],
        now: Micros,
        appended: &mut Vec<Appended>,
    ) -> Result<(), StoreError> {
        let wanted = capture::wanted(touched);
        if wanted.is_empty() {
            return Ok(());
        }
        let mut instant = None;
        for some in wanted.chunks(capture::SETS_MAX) {
            let (stamp, sets) = capture::images(conn, some).await?;
            let (at, transaction) = *instant.get_or_insert_with(|| self.instant(stamp, now));
            appended.push(self.append(Record::Rows(Images { at: at.0, transaction, sets })).await);
        }
        Ok(())
    }

    /// Fails every write, or no longer.
    #[cfg(feature = "testing")]
    pub fn fail_for_a_test(&self, fail: bool) {
        self.thread.fail_for_a_test(fail);
    }

    /// Keeps every write from ending until what is returned is dropped, as a disk does that hangs.
    #[cfg(feature = "testing")]
    pub fn hang_for_a_test(&self) -> impl Drop + '_ {
        self.thread.hang_for_a_test()
    }

    /// Writes a sign of life, by the clock that the records go by.
    pub(crate) async fn beat(&self, now: Micros) {
        let at = self.last.fetch_max(now.0, Ordering::Relaxed).max(now.0);
        self.append(Record::Beat { at }).await;
    }

    pub(crate) async fn append(&self, record: Record) -> Appended {
        self.append_within(WAIT_MAX, record).await
    }

    async fn append_within(&self, wait_max: Duration, record: Record) -> Appended {
        let at = record.at().unwrap_or(Micros(self.last.load(Ordering::Relaxed)));
        self.thread.append(record, at, wait_max).await
    }

    /// Says that what is committed now may not be in it.
    pub(crate) fn miss(&self) {
        self.thread.miss(Micros(self.last.load(Ordering::Relaxed)));
    }

    /// On PostgreSQL the server's clock, which orders the transactions of all nodes: conflicting
    /// ones wait for each other's locks, and read it while they hold them.
    fn instant(&self, stamp: Option<capture::Stamp>, now: Micros) -> (Micros, Option<i64>) {
        let (now, transaction) = stamp.map_or((now, None), |(at, transaction)| (at, Some(transaction)));
        let before = self.last.fetch_max(now.0, Ordering::Relaxed);
        if before < now.0 {
            return (now, transaction);
        }
        (Micros(self.last.fetch_add(1, Ordering::Relaxed) + 1), transaction)
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Log")
    }
}

/// A log whose writer is no more.
#[derive(Debug)]
pub(crate) struct Before {
    pub(crate) log: [u8; 16],
    /// The last session that began in it: which life of the database, and its number.
    pub(crate) begun: Option<(String, i64)>,
}

/// What was found at the end of a log that is opened again.
#[derive(Debug, Default)]
pub struct LogTail {
    /// When its last record was written.
    pub last_at: Option<Micros>,
    /// Logs whose writers are no more: the file that was found, and the one that was to come after it
    /// when its process was killed, in which nothing was committed.
    pub(crate) before: Vec<Before>,
    /// What its last minute changed, when it was not closed in order: a commit may have failed behind
    /// it, so it is written again as it is.
    pub(crate) unsettled: Vec<Touched>,
}
