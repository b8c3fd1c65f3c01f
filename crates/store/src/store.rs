//! The store: an opened database, and the three ways into it.

use crate::act::{self, Acted, Job, Size};
use crate::conn::{Conn, Engine, Ledger, Reader, Tx};
use crate::database::{Database, Options};
use crate::error::{OpenError, StoreError};
use crate::feed_reader::FeedReader;
use crate::log::session;
use crate::log::{Log, LogTail, Logging, RollError, settle};
use crate::open::{self, OpenSqlite};
use crate::postgres::{Purpose, SharedDatabase};
use crate::tables::feed::Stamp;
use crate::{transaction, writer};
use futures_util::future::BoxFuture;
use keystead_domain::seal::RootKeys;
use keystead_domain::time::Clock;
use rand_core::Rng;
use sqlx::SqlitePool;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::{Mutex, Notify, mpsc};
use tokio::task::JoinHandle;

/// Units of work that may wait for SQLite's writer; whoever comes then waits [`QUEUE_TIME_MAX`].
const QUEUE_MAX: usize = 1024;
const QUEUE_TIME_MAX: Duration = Duration::from_secs(5);

/// An opened database. Clones share it.
#[derive(Clone)]
pub struct Store {
    db: Arc<Db>,
    clock: Arc<dyn Clock>,
    logging: Arc<Logging>,
}

enum Db {
    Sqlite {
        readers: SqlitePool,
        queue: mpsc::Sender<Job>,
        closing: Arc<Notify>,
        writer: Mutex<Option<JoinHandle<()>>>,
    },
    Postgres(Arc<SharedDatabase>),
}

impl Store {
    /// Brings the database's schema up to date and opens it; a SQLite file is taken for this process.
    /// The clock stamps the feed's rows.
    ///
    /// # Errors
    /// When another process owns the file, the schema is newer than this binary can work on, or the
    /// database cannot be reached.
    pub async fn open(options: Options, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        let logging = Arc::new(Logging::new(Arc::clone(&clock)));
        let db = match &options.database {
            Database::Sqlite(path) => {
                let OpenSqlite { readers, writer, owner } =
                    open::sqlite(path, options.readers, &options.database).await?;
                let (queue, waiting) = mpsc::channel(QUEUE_MAX);
                let closing = Arc::new(Notify::new());
                let work = writer::work(writer, waiting, Arc::clone(&closing), Arc::clone(&logging), owner);
                // A thread of its own: each statement wakes it, which costs a shared one twice as much.
                let runtime = Handle::current();
                let writer = tokio::task::spawn_blocking(move || runtime.block_on(work));
                Db::Sqlite { readers, queue, closing, writer: Mutex::new(Some(writer)) }
            }
            Database::Postgres(url) => {
                let shared = SharedDatabase::open(url, options.readers, &options.database).await?;
                Db::Postgres(Arc::new(shared))
            }
        };
        Ok(Self { db: Arc::new(db), clock, logging })
    }

    /// The feed's reader, for a database that other nodes may change; `None` on SQLite, whose one
    /// owner hears of every change by itself. It stands where the feed stands now: what is loaded
    /// afterwards has everything from before.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn feed_reader(&self) -> Result<Option<FeedReader>, StoreError> {
        match &*self.db {
            Db::Sqlite { .. } => Ok(None),
            Db::Postgres(shared) => FeedReader::new(Arc::clone(shared)).await.map(Some),
        }
    }

    /// A connection for reading. Each statement sees what is committed when it begins.
    ///
    /// # Errors
    /// When none becomes free in time or the database cannot be reached.
    pub async fn read(&self) -> Result<Reader, StoreError> {
        let engine = match &*self.db {
            Db::Sqlite { readers, .. } => Engine::Sqlite(readers.acquire().await?),
            Db::Postgres(shared) => shared.reader().await?,
        };
        Ok(Reader(Conn::new(engine, false)))
    }

    /// Runs an act: in one transaction what it changes, its audit records and its feed rows. The
    /// answer comes when they are durable. A caller that goes away does not undo it. A statement
    /// that fails undoes the whole act, also when the work goes on after it.
    ///
    /// # Errors
    /// The work's own; [`StoreError::Unaudited`] when it left no audit record; and why the
    /// transaction could not begin or end. After [`StoreError::OutcomeUnknown`] read again.
    pub async fn act<T, E, W>(&self, work: W) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        W: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<Acted<T>, E>> + Send + 'static,
    {
        self.act_of(Size::Usual, work).await
    }

    /// As [`act`](Self::act), and says how much it writes.
    ///
    /// # Errors
    /// As [`act`](Self::act).
    pub async fn act_of<T, E, W>(&self, size: Size, work: W) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        W: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<Acted<T>, E>> + Send + 'static,
    {
        let origin = match &*self.db {
            Db::Sqlite { .. } => None,
            Db::Postgres(shared) => Some(shared.origin),
        };
        let (job, answer) = act::act(Stamp { at: self.clock.now(), origin }, work);
        let job = Job { size, ..job };
        self.submit(job, Purpose::Act).await?;
        answer.wait().await
    }

    /// Runs what no person decides, which leaves no audit record: see [`Ledger`] for what it reaches.
    /// Durable like an act.
    ///
    /// # Errors
    /// The work's own, and why the transaction could not begin or end.
    pub async fn bookkeeping<T, E, W>(&self, work: W) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        W: for<'t> FnOnce(&'t mut Ledger) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
    {
        let (job, answer) = act::bookkeeping(work);
        self.submit(job, Purpose::Bookkeeping).await?;
        answer.wait().await
    }

    /// From now on every commit is in the log too. Called once, before anybody acts; without a log
    /// the session says that none is kept.
    ///
    /// # Errors
    /// When the database does not answer, or the log cannot be written.
    pub async fn begin_session(
        &self,
        log: Option<(Log, LogTail)>,
        epoch: String,
        place: String,
    ) -> Result<(), StoreError> {
        session::begin(self, &self.logging, log, epoch, place).await
    }

    /// The log that is kept.
    #[must_use]
    pub fn log(&self) -> Option<Arc<Log>> {
        self.logging.log()
    }

    /// Has the log go on in another file; the one before is set aside.
    ///
    /// # Errors
    /// When the database does not answer or the file system refuses; the log goes on as it was.
    pub async fn roll_log(&self, keys: &RootKeys, rng: Box<dyn Rng + Send>) -> Result<(), RollError> {
        session::roll(self, &self.logging, keys, rng).await
    }

    /// Ends the session in order. Nobody acts any more.
    ///
    /// # Errors
    /// When the database does not answer, so that the log may say what was never committed: it is not
    /// closed then, and the next start settles it.
    pub async fn end_session(&self) -> Result<(), StoreError> {
        session::end(self, &self.logging).await
    }

    /// Writes a sign of life into the log; whether another process had taken this session for ended,
    /// as one does that begins on a copy of this log. It stands again.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn beat_log(&self) -> Result<bool, StoreError> {
        session::beat(self, &self.logging).await
    }

    /// Writes the rows into the log again of which it may say what was never committed. Costs nothing
    /// when there are none.
    ///
    /// # Errors
    /// When the database does not answer; they are kept in mind.
    pub async fn settle_log(&self) -> Result<(), StoreError> {
        settle(self, &self.logging).await
    }

    async fn submit(&self, job: Job, purpose: Purpose) -> Result<(), StoreError> {
        match &*self.db {
            Db::Sqlite { queue, .. } => {
                queue.send_timeout(job, QUEUE_TIME_MAX).await.map_err(|refused| match refused {
                    mpsc::error::SendTimeoutError::Timeout(_) => {
                        StoreError::Unavailable("too much is waiting to be written")
                    }
                    mpsc::error::SendTimeoutError::Closed(_) => {
                        StoreError::Unavailable("the store is closed")
                    }
                })
            }
            Db::Postgres(shared) => {
                let (connection, turn) = shared.writer(purpose).await?;
                let committed = (purpose == Purpose::Act).then(|| Arc::clone(&shared.committed));
                let logging = Arc::clone(&self.logging);
                tokio::spawn(async move {
                    transaction::on_postgres(connection, job, &logging, committed).await;
                    drop(turn);
                });
                Ok(())
            }
        }
    }

    /// Finishes what waits, closes every connection and gives a SQLite file up. What is asked of
    /// any clone afterwards is refused.
    pub async fn close(&self) {
        match &*self.db {
            Db::Sqlite { readers, closing, writer, .. } => {
                closing.notify_one();
                // The last connection to close folds the write-ahead log into the file.
                readers.close().await;
                if let Some(writer) = writer.lock().await.take() {
                    let _ = writer.await;
                }
            }
            Db::Postgres(shared) => shared.close().await,
        }
        self.logging.release();
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &*self.db {
            Db::Sqlite { .. } => "Store(SQLite)",
            Db::Postgres(_) => "Store(PostgreSQL)",
        })
    }
}
