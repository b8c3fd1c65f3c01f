//! A PostgreSQL database that this node shares with others: its pools, and the bounds of every wait.

use crate::conn::Engine;
use crate::database::Database;
use crate::error::{OpenError, StoreError};
use crate::open::{cannot_be_read, unreachable_server};
use crate::schema;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, Connection, PgPool, Postgres};
use std::str::FromStr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// How long a caller waits for a connection, a new one's making included.
const ACQUIRE_TIME_MAX: Duration = Duration::from_secs(5);
/// How long an act waits for its turn. Turns are given in the order of asking, so that a thousand
/// creates at once are all answered; who waits longer than this would have been given up anyway.
const TURN_TIME_MAX: Duration = Duration::from_secs(25);
/// Acts that may wait for their turn.
const TURNS_WAITING_MAX: usize = 4_096;
/// Acts at once.
const ACTS_MAX: u32 = 16;
/// What no person decides does not wait behind acts: verdicts wait for leases.
const BOOKKEEPINGS_MAX: u32 = 4;
/// Statements that a connection keeps prepared.
const STATEMENTS_MAX: usize = 256;
/// How long the old pools get to end in order when they are replaced.
const CLOSE_TIME_MAX: Duration = Duration::from_secs(10);

/// A number that nobody else has.
const ORIGIN: &str = "SELECT uuid_send(gen_random_uuid())";
/// What every session asks of the server. A lost client's locks end with its transaction, and that
/// ends with these; the server finds out about a client that is cut off by its keepalives.
const SESSION: [(&str, &str); 7] = [
    ("statement_timeout", "10s"),
    ("lock_timeout", "10s"),
    ("idle_in_transaction_session_timeout", "15s"),
    ("tcp_keepalives_idle", "10"),
    ("tcp_keepalives_interval", "5"),
    ("tcp_keepalives_count", "3"),
    ("tcp_user_timeout", "20s"),
];

/// An opened PostgreSQL database.
pub(crate) struct SharedDatabase {
    options: PgConnectOptions,
    readers_max: u32,
    pools: RwLock<Arc<Pools>>,
    turns: Arc<Semaphore>,
    places: Semaphore,
    /// Tells what is written here from what others write: drawn anew each time, so that no copy of a node has it.
    pub(crate) origin: [u8; 16],
    /// Told after each commit that others must hear of.
    pub(crate) committed: Arc<Notify>,
}

struct Pools {
    readers: PgPool,
    acts: PgPool,
    bookkeepings: PgPool,
}

/// What a transaction is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// What a person or program asked for.
    Act,
    /// What no person decides.
    Bookkeeping,
}

impl SharedDatabase {
    /// Connects, and brings the schema up to date.
    pub(crate) async fn open(url: &str, readers: u32, database: &Database) -> Result<Self, OpenError> {
        let options = PgConnectOptions::from_str(url)
            .map_err(|_| OpenError::Other("the PostgreSQL URL cannot be read".to_owned()))?
            .application_name("keystead")
            .statement_cache_capacity(STATEMENTS_MAX)
            .disable_statement_logging();
        let origin = prepare(&options, database).await?;
        let options = options.options(SESSION);
        let readers_max = readers.max(1);
        Ok(Self {
            pools: RwLock::new(Arc::new(Pools::new(&options, readers_max))),
            options,
            readers_max,
            turns: Arc::new(Semaphore::new(ACTS_MAX as usize)),
            places: Semaphore::new(TURNS_WAITING_MAX),
            origin,
            committed: Arc::default(),
        })
    }

    fn pools(&self) -> Arc<Pools> {
        Arc::clone(&self.pools.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// How a session of its own is made.
    pub(crate) const fn options(&self) -> &PgConnectOptions {
        &self.options
    }

    /// A connection that reads.
    pub(crate) async fn reader(&self) -> Result<Engine, StoreError> {
        Ok(Engine::Postgres(self.pools().readers.acquire().await?))
    }

    /// A connection for a transaction, and the turn that goes with it.
    pub(crate) async fn writer(&self, purpose: Purpose) -> Result<Writer, StoreError> {
        let pools = self.pools();
        if purpose == Purpose::Bookkeeping {
            return Ok((pools.bookkeepings.acquire().await?, None));
        }
        let too_many = |_| StoreError::Unavailable("too much is waiting to be written");
        let _place = self.places.try_acquire().map_err(too_many)?;
        let turn = tokio::time::timeout(TURN_TIME_MAX, Arc::clone(&self.turns).acquire_owned());
        let turn = turn.await.map_err(|_| StoreError::Unavailable("too much is waiting to be written"))?;
        let turn = turn.map_err(|_| StoreError::Unavailable("the store is closed"))?;
        Ok((pools.acts.acquire().await?, Some(turn)))
    }

    /// Makes new pools, because what the connections of the old ones are worth is not known: a
    /// network that dropped their packets leaves them waiting for minutes after it has healed.
    pub(crate) fn renew(&self) {
        let fresh = Arc::new(Pools::new(&self.options, self.readers_max));
        let old = {
            let mut pools = self.pools.write().unwrap_or_else(PoisonError::into_inner);
            if pools.readers.is_closed() {
                return;
            }
            std::mem::replace(&mut *pools, fresh)
        };
        tokio::spawn(async move {
            let _ = tokio::time::timeout(CLOSE_TIME_MAX, old.close()).await;
        });
    }

    /// Finishes what is in work and closes every connection.
    pub(crate) async fn close(&self) {
        self.turns.close();
        let _ = tokio::time::timeout(CLOSE_TIME_MAX, self.pools().close()).await;
    }
}

/// A connection for one transaction, and the turn that ends with it.
pub(crate) type Writer = (PoolConnection<Postgres>, Option<OwnedSemaphorePermit>);

impl Pools {
    fn new(options: &PgConnectOptions, readers_max: u32) -> Self {
        let pool = PgPoolOptions::new().acquire_timeout(ACQUIRE_TIME_MAX);
        let writing = |max| {
            pool.clone().max_connections(max).test_before_acquire(false).connect_lazy_with(options.clone())
        };
        Self {
            acts: writing(ACTS_MAX),
            bookkeepings: writing(BOOKKEEPINGS_MAX),
            readers: pool.clone().max_connections(readers_max).connect_lazy_with(options.clone()),
        }
    }

    async fn close(&self) {
        tokio::join!(self.readers.close(), self.acts.close(), self.bookkeepings.close());
    }
}

async fn prepare(options: &PgConnectOptions, database: &Database) -> Result<[u8; 16], OpenError> {
    let mut connection = options.connect().await.map_err(|error| unreachable_server(database, &error))?;
    let found = schema::prepare(&mut connection, &schema::POSTGRES, None).await?;
    if let schema::Prepared::Newer = found {
        let (found,) =
            sqlx::query_as(schema::FOUND).fetch_one(&mut connection).await.map_err(cannot_be_read)?;
        let oldest: Option<(String,)> =
            sqlx::query_as(schema::OLDEST).fetch_optional(&mut connection).await.map_err(cannot_be_read)?;
        schema::judge(found, oldest.as_ref().map(|(oldest,)| oldest.as_str()))?;
    }
    let (origin,): (Vec<u8>,) =
        sqlx::query_as(ORIGIN).fetch_one(&mut connection).await.map_err(cannot_be_read)?;
    connection.close().await.map_err(cannot_be_read)?;
    origin.try_into().map_err(|_| OpenError::Other("the server draws no number of 16 bytes".to_owned()))
}
