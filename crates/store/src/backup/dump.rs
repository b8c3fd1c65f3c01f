//! Writing a backup: every row of every table as of one instant, while a server works on the same
//! database. Memory does not grow with the database.

use super::cell::{Cell, read_cell};
use super::fault::BackupError;
use super::line::{FORMAT, Header, Lines};
use super::places::{self, OWN_VALUES, Table, quote};
use super::snapshot::snapshot;
use crate::conn::{Conn, Engine, on_engine};
use crate::database::Database;
use crate::error::StoreError;
use crate::log::capture::server_clock;
use crate::open;
use crate::schema;
use crate::transaction::steer;
use futures_util::TryStreamExt;
use keystead_domain::time::Micros;
use sqlx::{AssertSqlSafe, Row};
use std::collections::BTreeMap;
use std::io::Write;

/// What a backup holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Its first line.
    pub header: Header,
    /// How many rows each table has.
    pub rows: BTreeMap<String, u64>,
}

/// Writes a backup of the database as of one instant. It takes nothing from a server that runs on
/// the same database, needs no lock of it, and changes nothing.
///
/// # Errors
/// When there is no installation, the database cannot be read, or `out` refuses.
pub async fn dump(
    database: &Database,
    now: Micros,
    out: &mut (dyn Write + Send),
) -> Result<Written, BackupError> {
    let mut conn = open::beside(database).await?;
    // The clock that the logs beside the database go by, and before the snapshot: what was acknowledged
    // by then is in it.
    let now = server_clock(&mut conn).await?.unwrap_or(now);
    let (engine, begin) = match &conn.engine {
        // The first statement takes the snapshot, and the log of the file keeps it.
        Engine::Sqlite(_) => ("sqlite", "BEGIN"),
        Engine::Postgres(_) => ("postgres", "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"),
    };
    steer(&mut conn, begin).await?;
    let found: Result<(Option<i64>,), _> =
        on_engine!(conn, connection => sqlx::query_as(schema::FOUND).fetch_one(connection).await);
    let schema = match found.map_err(StoreError::from) {
        Ok((Some(schema),)) => schema,
        Err(error @ StoreError::Unavailable(_)) => return Err(error.into()),
        Ok((None,)) | Err(_) => return Err(BackupError::NoInstallation(database.to_string())),
    };
    let header = Header {
        keystead_backup: FORMAT,
        schema,
        engine: engine.to_owned(),
        created_at_micros: now.0,
        snapshot: snapshot(&mut conn).await?,
    };
    let mut lines = Lines::new(out);
    lines.header(&header)?;
    for table in places::tables(&mut conn).await? {
        lines.table(&table)?;
        rows(&mut conn, &table, |cells| lines.row(&table, cells)).await?;
    }
    let rows = lines.end()?;
    steer(&mut conn, "ROLLBACK").await?;
    Ok(Written { header, rows })
}

/// Gives every row of a table to `each`.
async fn rows(
    conn: &mut Conn,
    table: &Table,
    mut each: impl FnMut(&[Cell]) -> Result<(), BackupError>,
) -> Result<(), BackupError> {
    let filter = if table.name == "installation" { OWN_VALUES } else { "1 = 1" };
    let sql = format!("SELECT {} FROM {} WHERE {filter}", table.column_list(), quote(&table.name));
    on_engine!(conn, connection => {
        let mut found = sqlx::query(AssertSqlSafe(sql)).fetch(connection);
        let mut cells = Vec::with_capacity(table.columns.len());
        while let Some(row) = found.try_next().await? {
            cells.clear();
            for (index, column) in table.columns.iter().enumerate() {
                cells.push(read_cell!(row, index, column.kind)?);
            }
            each(&cells)?;
        }
        Ok(())
    })
}
