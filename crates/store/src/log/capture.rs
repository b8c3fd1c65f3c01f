//! Rows as a transaction is about to leave them.

use super::places::logged;
use super::record::Set;
use crate::backup::BackupError;
use crate::backup::cell::{Cell, read_cell};
use crate::backup::places::{Column, Table, quote, tables};
use crate::conn::{Conn, Engine, on_engine};
use crate::error::StoreError;
use futures_util::TryStreamExt;
use keystead_domain::time::Micros;
use sqlx::{AssertSqlSafe, Row};
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// Rows that a transaction wrote, by the id that they are found by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Touched {
    pub(crate) table: &'static str,
    pub(crate) target: Vec<u8>,
}

/// Targets of one statement. There are few sizes, because each is another statement, and a connection
/// keeps a few hundred prepared.
const SIZES: [usize; 4] = [1, 8, 64, TARGETS_MAX];
const TARGETS_MAX: usize = 256;

/// Sets of one record: it stays far below what a reader takes.
pub(super) const SETS_MAX: usize = 64;

const STAMP: &str = "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT), \
    CAST(pg_current_xact_id()::text AS BIGINT)";
const CLOCK: &str = "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)";

/// PostgreSQL's clock; `None` on SQLite.
pub(crate) async fn server_clock(conn: &mut Conn) -> Result<Option<Micros>, StoreError> {
    let Engine::Postgres(connection) = &mut conn.engine else { return Ok(None) };
    let clock: Result<(i64,), _> = sqlx::query_as(CLOCK).fetch_one(&mut **connection).await;
    conn.after(clock).map(|(at,)| Some(Micros(at)))
}

/// PostgreSQL's clock and its number of this transaction; `None` on SQLite.
pub(super) async fn stamp(conn: &mut Conn) -> Result<Option<(Micros, i64)>, StoreError> {
    let Engine::Postgres(connection) = &mut conn.engine else { return Ok(None) };
    let stamp: Result<(i64, i64), _> = sqlx::query_as(STAMP).fetch_one(&mut **connection).await;
    conn.after(stamp).map(|(at, transaction)| Some((Micros(at), transaction)))
}

/// What is read for a record: a table's rows that have these targets, or the policies of these keys.
pub(super) struct Wanted<'t> {
    table: &'static str,
    column: &'static str,
    targets: Vec<&'t [u8]>,
    policies: bool,
}

/// What the rows that were touched are read by.
pub(super) fn wanted(touched: &[Touched]) -> Vec<Wanted<'_>> {
    let mut targets: BTreeMap<&'static str, Vec<&[u8]>> = BTreeMap::new();
    for one in touched {
        targets.entry(one.table).or_default().push(&one.target);
    }
    let mut wanted = Vec::new();
    for (table, mut targets) in targets {
        targets.sort_unstable();
        targets.dedup();
        let Some((table, column)) = logged(table) else { continue };
        for some in targets.chunks(TARGETS_MAX) {
            if table == "keys" {
                wanted.push(Wanted { table, column, targets: some.to_vec(), policies: true });
            }
            wanted.push(Wanted { table, column, targets: some.to_vec(), policies: false });
        }
    }
    wanted
}

/// Holds rows that this transaction has not written: nobody else changes them before it ends, and
/// what somebody was changing is waited for. A key holds its tags, roles and grants. SQLite has one
/// writer.
pub(super) async fn hold(conn: &mut Conn, rows: &[Touched]) -> Result<(), StoreError> {
    if !conn.is_on_postgres() {
        return Ok(());
    }
    let of_keys = rows.iter().filter(|row| ["key_tags", "key_roles", "key_grants"].contains(&row.table));
    let keys = of_keys.map(|row| Touched { table: "keys", target: row.target.clone() });
    let all: Vec<Touched> = rows.iter().cloned().chain(keys).collect();
    for Wanted { table, column, targets, .. } in wanted(&all).iter().filter(|one| !one.policies) {
        let (from, by, targets) = (quote(table), quote(column), padded(targets));
        let places = places(targets.len());
        let sql = format!("SELECT 1 FROM {from} WHERE {by} IN ({places}) ORDER BY {by} FOR SHARE");
        let held = read(conn, sql, &[], &targets).await;
        conn.after(held)?;
    }
    Ok(())
}

/// Targets up to one of the sizes: the last one fills the places that are left.
fn padded<'t>(some: &[&'t [u8]]) -> Vec<&'t [u8]> {
    let size = SIZES.into_iter().find(|size| *size >= some.len()).unwrap_or(some.len());
    let mut padded = some.to_vec();
    padded.resize(size, some.last().copied().unwrap_or_default());
    padded
}

fn places(count: usize) -> String {
    let places: Vec<String> = (1..=count).map(|place| format!("${place}")).collect();
    places.join(", ")
}

/// Those rows as they are now.
pub(super) async fn images(conn: &mut Conn, wanted: &[Wanted<'_>]) -> Result<Vec<Set>, StoreError> {
    let mut sets = Vec::with_capacity(wanted.len());
    for one in wanted {
        let some = one.targets.as_slice();
        sets.push(if one.policies {
            let join = "JOIN keys k ON k.organization_id = t.organization_id AND k.policy_hash = t.hash";
            set(conn, "policies", join, "k.id", some, Vec::new()).await?
        } else {
            let owned = some.iter().map(|target| target.to_vec()).collect();
            set(conn, one.table, "", &format!("t.{}", quote(one.column)), some, owned).await?
        });
    }
    Ok(sets)
}

async fn set(
    conn: &mut Conn,
    name: &'static str,
    join: &str,
    by: &str,
    some: &[&[u8]],
    targets: Vec<Vec<u8>>,
) -> Result<Set, StoreError> {
    let columns = columns(conn, name).await?;
    let list: Vec<String> = columns.iter().map(|column| format!("t.{}", quote(&column.name))).collect();
    let (some, from) = (padded(some), quote(name));
    let (list, places) = (list.join(", "), places(some.len()));
    let sql = format!("SELECT DISTINCT {list} FROM {from} t {join} WHERE {by} IN ({places})");
    let read = read(conn, sql, &columns, &some).await;
    let rows = conn.after(read)?;
    Ok(Set { table: name.to_owned(), columns, targets, rows })
}

async fn read(
    conn: &mut Conn,
    sql: String,
    columns: &[Column],
    some: &[&[u8]],
) -> Result<Vec<Vec<serde_json::Value>>, sqlx::Error> {
    on_engine!(conn, connection => {
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for target in some {
            query = query.bind(*target);
        }
        let mut found = query.fetch(connection);
        let mut rows = Vec::new();
        while let Some(row) = found.try_next().await? {
            let mut cells = Vec::with_capacity(columns.len());
            for (index, column) in columns.iter().enumerate() {
                let cell: Cell = read_cell!(row, index, column.kind)?;
                cells.push(serde_json::to_value(cell).unwrap_or_default());
            }
            rows.push(cells);
        }
        Ok(rows)
    })
}

/// The columns of a table. They are asked once: a schema changes only while nothing runs on it, or
/// by a newer binary whose columns this one does not write.
async fn columns(conn: &mut Conn, name: &str) -> Result<Vec<Column>, StoreError> {
    static SQLITE: OnceLock<Vec<Table>> = OnceLock::new();
    static POSTGRES: OnceLock<Vec<Table>> = OnceLock::new();
    let known = if conn.is_on_postgres() { &POSTGRES } else { &SQLITE };
    if known.get().is_none() {
        let found = tables(conn).await.map_err(|error| match error {
            BackupError::Store(error) => error,
            other => StoreError::Other(other.to_string()),
        })?;
        // Who comes second has asked the same.
        let _ = known.set(found);
    }
    let tables = known.get().map_or(&[][..], Vec::as_slice);
    let table = tables.iter().find(|table| table.name == name);
    table.map(|table| table.columns.clone()).ok_or(StoreError::Corrupt("a table of the log is missing"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// Each length as a statement of its own would push every other statement out of a connection's cache.
    #[test]
    fn targets_of_any_number_make_few_statements() {
        let target = [7; 12];
        let lengths: BTreeSet<usize> =
            (1..=TARGETS_MAX).map(|count| padded(&vec![&target[..]; count]).len()).collect();
        assert_eq!(lengths, SIZES.into());
        let some: Vec<[u8; 1]> = (0..9).map(|number| [number]).collect();
        let some: Vec<&[u8]> = some.iter().map(<[u8; 1]>::as_slice).collect();
        let padded = padded(&some);
        assert_eq!(&padded[..9], some);
        assert!(padded[9..].iter().all(|target| *target == [8]));
    }
}
