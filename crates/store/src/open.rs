//! Opening a SQLite file: take it, bring its schema up to date, make its pools.

use crate::conn::{Conn, Engine, Reader};
use crate::database::Database;
use crate::error::{OpenError, StoreError};
use crate::owner::{FileOwner, open_private, unreachable};
use crate::schema::{self, Prepared};
use crate::transaction::steer;
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
/// Pages (of 4 KiB) in the write-ahead log before they are copied into the file: keys lie scattered, and
/// a page that is written often is copied once.
const CHECKPOINT_PAGES: &str = "8192";
/// Statements that a connection keeps prepared.
const STATEMENTS_MAX: usize = 256;

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
        .pragma("cache_size", "-16384")
        .pragma("journal_size_limit", "67108864")
        .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
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
            // What savepoints would restore is kept in memory: files for it cost half of every act.
            .connect_lazy_with(options.clone().pragma("temp_store", "MEMORY")),
        readers: pool.max_connections(readers.max(1)).connect_lazy_with(
            options.pragma("query_only", "ON").pragma("cache_size", "-8192").row_buffer_size(1024),
        ),
        owner,
    })
}

async fn prepare_sqlite(options: &SqliteConnectOptions) -> Result<(), OpenError> {
    let mut connection = options.connect().await.map_err(cannot_be_read)?;
    if let Prepared::Newer = schema::prepare(&mut connection, &schema::SQLITE, None).await? {
        let (found,) =
            sqlx::query_as(schema::FOUND).fetch_one(&mut connection).await.map_err(cannot_be_read)?;
        let oldest: Option<(String,)> =
            sqlx::query_as(schema::OLDEST).fetch_optional(&mut connection).await.map_err(cannot_be_read)?;
        schema::judge(found, oldest.as_ref().map(|(oldest,)| oldest.as_str()))?;
    }
    connection.close().await.map_err(cannot_be_read)
}

/// A connection that reads beside a server which owns the database, and takes nothing from it.
pub(crate) async fn beside(database: &Database) -> Result<Conn, OpenError> {
    let engine = match database {
        Database::Sqlite(path) => {
            path.metadata().map_err(|error| unreachable(database, &error))?;
            let options = SqliteConnectOptions::new()
                .filename(path)
                .read_only(true)
                .busy_timeout(BUSY_TIME_MAX)
                .disable_statement_logging();
            let pool = SqlitePoolOptions::new().max_connections(1).connect_lazy_with(options);
            Engine::Sqlite(pool.acquire().await.map_err(cannot_be_read)?)
        }
        Database::Postgres(url) => {
            let pool = postgres_pool(url, "keystead backup")?;
            Engine::Postgres(pool.acquire().await.map_err(|error| unreachable_server(database, &error))?)
        }
    };
    Ok(Conn::new(engine, false))
}

/// The database as of one instant, read beside a server that owns it.
///
/// # Errors
/// When it cannot be reached.
pub async fn read_beside(database: &Database) -> Result<Reader, OpenError> {
    let mut conn = beside(database).await?;
    let begin = match &conn.engine {
        Engine::Sqlite(_) => "BEGIN",
        Engine::Postgres(_) => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    };
    steer(&mut conn, begin).await.map_err(cannot_be_read)?;
    Ok(Reader(conn))
}

/// One connection to PostgreSQL, for a work that nobody shares.
pub(crate) fn postgres_pool(url: &str, name: &str) -> Result<PgPool, OpenError> {
    let options = PgConnectOptions::from_str(url)
        .map_err(|_| OpenError::Other("the PostgreSQL URL cannot be read".to_owned()))?
        .application_name(name)
        .disable_statement_logging();
    Ok(PgPoolOptions::new().max_connections(1).connect_lazy_with(options))
}

/// A file that a restore builds: whole or thrown away, so nothing is synced before its end.
pub(crate) fn draft(path: &Path) -> SqlitePool {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Memory)
        .synchronous(SqliteSynchronous::Off)
        .foreign_keys(false)
        .pragma("trusted_schema", "OFF")
        .pragma("cache_size", "-16384")
        .disable_statement_logging();
    SqlitePoolOptions::new().max_connections(1).test_before_acquire(false).connect_lazy_with(options)
}

pub(crate) fn unreachable_server(database: &Database, error: &sqlx::Error) -> OpenError {
    OpenError::Unreachable {
        database: database.to_string(),
        reason: reason(error),
        fix: "Check that the server runs, that the URL is right and that its user may connect",
    }
}

/// Why the server cannot be used. PostgreSQL's texts about connecting name users and databases,
/// never a password.
fn reason(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(error) => error.message().to_owned(),
        sqlx::Error::Io(error) => error.to_string(),
        _ => "the connection failed".to_owned(),
    }
}

pub(crate) fn cannot_be_read(error: sqlx::Error) -> OpenError {
    OpenError::Other(format!("it cannot be read: {}", StoreError::from(error)))
}
