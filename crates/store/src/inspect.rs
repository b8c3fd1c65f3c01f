//! Looking at a database without taking or changing it, for `keystead doctor`.

use crate::database::Database;
use crate::error::OpenError;
use crate::open::cannot_be_read;
use crate::owner::unreachable;
use crate::schema;
use keystead_domain::time::Micros;
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};
use std::fs::File;
use std::path::Path;
use std::str::FromStr;

/// What a look at a database found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Inspection {
    /// The schema's number; `None` when there is no database yet.
    pub schema: Option<i64>,
    /// The schema that this binary writes.
    pub supported: i64,
    /// Whether this binary works on it: a newer one says so itself, as during an upgrade of node by node.
    pub accepted: bool,
    /// Whether a running server uses the file; on PostgreSQL this is not looked at.
    pub in_use: bool,
    /// When the newest audit record was written.
    pub last_act_at: Option<Micros>,
    /// The servers that gave a sign of life lately: the name and version of each, and when by its own
    /// clock. On SQLite none do.
    pub nodes: Vec<(String, String, Micros)>,
}

const LAST_ACT: &str = "SELECT max(at) FROM audit";
const NODES: &str = "SELECT name, version, seen_at FROM nodes ORDER BY started_at, id";
/// The schema that began to have nodes.
const WITH_NODES: i64 = 3;

/// Looks at a database.
///
/// # Errors
/// When it cannot be reached or read.
pub async fn inspect(database: &Database) -> Result<Inspection, OpenError> {
    match database {
        Database::Sqlite(path) => sqlite(path, database).await,
        Database::Postgres(url) => postgres(url).await,
    }
}

async fn sqlite(path: &Path, database: &Database) -> Result<Inspection, OpenError> {
    let absent = Inspection { supported: schema::SUPPORTED, accepted: true, ..Inspection::default() };
    if !path.try_exists().map_err(|error| unreachable(database, &error))? {
        return Ok(absent);
    }
    let mut lock = path.as_os_str().to_owned();
    lock.push(".lock");
    let in_use = File::open(lock).is_ok_and(|lock| lock.try_lock_shared().is_err());
    let options = SqliteConnectOptions::new().filename(path).read_only(true).disable_statement_logging();
    let mut connection = options.connect().await.map_err(cannot_be_read)?;
    let schema: Result<(Option<i64>,), _> = sqlx::query_as(schema::FOUND).fetch_one(&mut connection).await;
    let Ok((found,)) = schema else { return Ok(Inspection { in_use, ..absent }) };
    let (last,): (Option<i64>,) =
        sqlx::query_as(LAST_ACT).fetch_one(&mut connection).await.map_err(cannot_be_read)?;
    let oldest: Option<(String,)> =
        sqlx::query_as(schema::OLDEST).fetch_optional(&mut connection).await.map_err(cannot_be_read)?;
    let accepted = accepts(found, oldest.as_ref().map(|(oldest,)| oldest.as_str()));
    connection.close().await.map_err(cannot_be_read)?;
    Ok(Inspection { schema: found, accepted, in_use, last_act_at: last.map(Micros), ..absent })
}

async fn postgres(url: &str) -> Result<Inspection, OpenError> {
    let absent = Inspection { supported: schema::SUPPORTED, accepted: true, ..Inspection::default() };
    let options = PgConnectOptions::from_str(url)
        .map_err(|_| OpenError::Other("the PostgreSQL URL cannot be read".to_owned()))?
        .application_name("keystead doctor")
        .disable_statement_logging();
    let mut connection = options.connect().await.map_err(cannot_be_read)?;
    let schema: Result<(Option<i64>,), _> = sqlx::query_as(schema::FOUND).fetch_one(&mut connection).await;
    let Ok((found,)) = schema else { return Ok(absent) };
    let (last,): (Option<i64>,) =
        sqlx::query_as(LAST_ACT).fetch_one(&mut connection).await.map_err(cannot_be_read)?;
    let oldest: Option<(String,)> =
        sqlx::query_as(schema::OLDEST).fetch_optional(&mut connection).await.map_err(cannot_be_read)?;
    let accepted = accepts(found, oldest.as_ref().map(|(oldest,)| oldest.as_str()));
    let nodes: Vec<(String, String, i64)> = match found {
        Some(WITH_NODES..) => {
            sqlx::query_as(NODES).fetch_all(&mut connection).await.map_err(cannot_be_read)?
        }
        _ => Vec::new(),
    };
    connection.close().await.map_err(cannot_be_read)?;
    let nodes = nodes.into_iter().map(|(name, version, seen_at)| (name, version, Micros(seen_at))).collect();
    Ok(Inspection { schema: found, accepted, last_act_at: last.map(Micros), nodes, ..absent })
}

fn accepts(found: Option<i64>, oldest: Option<&str>) -> bool {
    found <= Some(schema::SUPPORTED) || schema::judge(found, oldest).is_ok()
}
