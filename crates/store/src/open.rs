//! Opening either engine: take it, bring its schema up to date, make its pools.

use crate::database::Database;
use crate::error::{OpenError, StoreError};
use crate::owner::{FileOwner, PostgresOwner, Taken, open_private, unreachable};
use crate::schema::{self, Prepared};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, PgPool, SqlitePool};
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

/// How long a caller waits for a free connection.
const ACQUIRE_TIME_MAX: Duration = Duration::from_secs(5);
/// How long SQLite waits for another's lock on the file: a backup's, say.
const BUSY_TIME_MAX: Duration = Duration::from_secs(5);
/// Statements that a connection keeps prepared.
const STATEMENTS_MAX: usize = 256;
/// Acts at once on PostgreSQL.
const POSTGRES_ACTS_MAX: u32 = 16;

/// An opened SQLite file.
pub(crate) struct OpenSqlite {
    pub(crate) readers: SqlitePool,
    pub(crate) writer: SqlitePool,
    pub(crate) owner: Arc<FileOwner>,
}

pub(crate) async fn sqlite(path: &Path, readers: u32, database: &Database) -> Result<OpenSqlite, OpenError> {
    open_private(path).map_err(|error| unreachable(database, &error))?;
    // Two names of one file must meet at one lock.
    let path = path.canonicalize().map_err(|error| unreachable(database, &error))?;
    let owner = Arc::new(FileOwner::take(&path, database)?);
    let options = SqliteConnectOptions::new()
        .filename(&path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(BUSY_TIME_MAX)
        .foreign_keys(true)
        .pragma("trusted_schema", "OFF")
        .pragma("cache_size", "-65536")
        .pragma("journal_size_limit", "67108864")
        .statement_cache_capacity(STATEMENTS_MAX)
        .disable_statement_logging();
    prepare_sqlite(&options).await?;
    let pool = SqlitePoolOptions::new().acquire_timeout(ACQUIRE_TIME_MAX).test_before_acquire(false);
    Ok(OpenSqlite {
        writer: pool
            .clone()
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_lazy_with(options.clone()),
        readers: pool.max_connections(readers.max(1)).connect_lazy_with(
            options.pragma("query_only", "ON").pragma("cache_size", "-8192").row_buffer_size(1024),
        ),
        owner,
    })
}

async fn prepare_sqlite(options: &SqliteConnectOptions) -> Result<(), OpenError> {
    let mut connection = options.connect().await.map_err(cannot_be_read)?;
    if let Prepared::Newer = schema::prepare(&mut connection, &schema::SQLITE).await? {
        let (found,) =
            sqlx::query_as(schema::FOUND).fetch_one(&mut connection).await.map_err(cannot_be_read)?;
        let oldest: Option<(String,)> =
            sqlx::query_as(schema::OLDEST).fetch_optional(&mut connection).await.map_err(cannot_be_read)?;
        schema::judge(found, oldest.as_ref().map(|(oldest,)| oldest.as_str()))?;
    }
    connection.close().await.map_err(cannot_be_read)
}

/// An opened PostgreSQL database.
pub(crate) struct OpenPostgres {
    pub(crate) readers: PgPool,
    pub(crate) acts: PgPool,
    pub(crate) owner: PostgresOwner,
}

pub(crate) async fn postgres(
    url: &str,
    readers: u32,
    database: &Database,
) -> Result<OpenPostgres, OpenError> {
    let options = PgConnectOptions::from_str(url)
        .map_err(|_| OpenError::Other("the PostgreSQL URL cannot be read".to_owned()))?
        .application_name("keystead")
        .statement_cache_capacity(STATEMENTS_MAX)
        .disable_statement_logging();
    let taken = Taken::take(&options, database).await?;
    if let Err(error) = prepare_postgres(&options).await {
        taken.release().await;
        return Err(error);
    }
    let owner = taken.claim().await.map_err(cannot_be_read)?;
    let pool = PgPoolOptions::new().acquire_timeout(ACQUIRE_TIME_MAX);
    // A lost client's locks end with its transaction, and that ends with these.
    let acting = options.clone().options([
        ("statement_timeout", "10s"),
        ("lock_timeout", "10s"),
        ("idle_in_transaction_session_timeout", "15s"),
    ]);
    Ok(OpenPostgres {
        acts: pool
            .clone()
            .max_connections(POSTGRES_ACTS_MAX)
            .test_before_acquire(false)
            .connect_lazy_with(acting),
        readers: pool.max_connections(readers.max(1)).connect_lazy_with(options),
        owner,
    })
}

async fn prepare_postgres(options: &PgConnectOptions) -> Result<(), OpenError> {
    let mut connection = options.connect().await.map_err(cannot_be_read)?;
    if let Prepared::Newer = schema::prepare(&mut connection, &schema::POSTGRES).await? {
        let (found,) =
            sqlx::query_as(schema::FOUND).fetch_one(&mut connection).await.map_err(cannot_be_read)?;
        let oldest: Option<(String,)> =
            sqlx::query_as(schema::OLDEST).fetch_optional(&mut connection).await.map_err(cannot_be_read)?;
        schema::judge(found, oldest.as_ref().map(|(oldest,)| oldest.as_str()))?;
    }
    connection.close().await.map_err(cannot_be_read)
}

pub(crate) fn cannot_be_read(error: sqlx::Error) -> OpenError {
    OpenError::Other(format!("it cannot be read: {}", StoreError::from(error)))
}
