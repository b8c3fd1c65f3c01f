//! Rows as a transaction is about to leave them.

use super::places::logged;
use super::record::Set;
use crate::backup::BackupError;
use crate::backup::cell::{Cell, Kind, read_cell};
use crate::backup::places::{Column, Table, quote, tables};
use crate::conn::{Conn, Engine, on_engine};
use crate::error::StoreError;
use futures_util::TryStreamExt;
use keystead_domain::time::Micros;
use serde_json::Value as Json;
use sqlx::{AssertSqlSafe, Row};
use std::collections::BTreeMap;
use std::fmt::Write as _;
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

/// PostgreSQL's clock and its number of this transaction, as the first row beside the images.
const STAMP: &str = "SELECT -1 AS n, ARRAY[CAST(CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT) AS TEXT), \
    CAST(pg_current_xact_id() AS TEXT)] AS cells";
const CLOCK: &str = "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)";

/// PostgreSQL's clock; `None` on SQLite.
pub(crate) async fn server_clock(conn: &mut Conn) -> Result<Option<Micros>, StoreError> {
    let Engine::Postgres(connection) = &mut conn.engine else { return Ok(None) };
    let clock: Result<(i64,), _> = sqlx::query_as(CLOCK).fetch_one(&mut **connection).await;
    conn.after(clock).map(|(at,)| Some(Micros(at)))
}

/// PostgreSQL's clock and its number of a transaction.
pub(super) type Stamp = (Micros, i64);

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
        let places = places(0, targets.len());
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

fn places(after: usize, count: usize) -> String {
    let places: Vec<String> = (after + 1..=after + count).map(|place| format!("${place}")).collect();
    places.join(", ")
}

impl Wanted<'_> {
    const fn read_from(&self) -> &'static str {
        if self.policies { "policies" } else { self.table }
    }

    /// Where its rows stand, and by which they are found.
    fn source(&self) -> (String, String) {
        let from = quote(self.read_from());
        if self.policies {
            let on = "k.organization_id = t.organization_id AND k.policy_hash = t.hash";
            (format!("{from} t JOIN keys k ON {on}"), "k.id".to_owned())
        } else {
            (format!("{from} t"), format!("t.{}", quote(self.column)))
        }
    }

    fn set(&self, columns: Vec<Column>) -> Set {
        let targets = if self.policies { &[][..] } else { &self.targets };
        let targets = targets.iter().map(|target| target.to_vec()).collect();
        Set { table: self.read_from().to_owned(), columns, targets, rows: Vec::new() }
    }
}

/// Those rows as they are now, on PostgreSQL with its stamp. There each statement is a way to the server and back, so
/// all is read by one.
pub(super) async fn images(
    conn: &mut Conn,
    wanted: &[Wanted<'_>],
) -> Result<(Option<Stamp>, Vec<Set>), StoreError> {
    let mut sets = Vec::with_capacity(wanted.len());
    for one in wanted {
        sets.push(one.set(columns(conn, one.read_from()).await?));
    }
    if conn.is_on_postgres() {
        let stamp = at_once(conn, wanted, &mut sets).await?;
        return Ok((Some(stamp), sets));
    }
    for (one, set) in wanted.iter().zip(&mut sets) {
        let list: Vec<String> =
            set.columns.iter().map(|column| format!("t.{}", quote(&column.name))).collect();
        let (some, (from, by)) = (padded(&one.targets), one.source());
        let (list, places) = (list.join(", "), places(0, some.len()));
        let sql = format!("SELECT DISTINCT {list} FROM {from} WHERE {by} IN ({places})");
        let read = read(conn, sql, &set.columns, &some).await;
        set.rows = conn.after(read)?;
    }
    Ok((None, sets))
}

/// Fills the sets by one statement: of each row the number of its set, and its cells as texts.
async fn at_once(conn: &mut Conn, wanted: &[Wanted<'_>], sets: &mut [Set]) -> Result<Stamp, StoreError> {
    let (mut sql, mut values) = (STAMP.to_owned(), Vec::new());
    for (number, (one, set)) in wanted.iter().zip(&*sets).enumerate() {
        let list: Vec<String> = set.columns.iter().map(as_text).collect();
        let (some, (from, by)) = (padded(&one.targets), one.source());
        let (list, places) = (list.join(", "), places(values.len(), some.len()));
        let distinct = if one.policies { "DISTINCT " } else { "" };
        // Writing to a String cannot fail.
        let _ = write!(
            sql,
            " UNION ALL SELECT {distinct}{number}, ARRAY[{list}] FROM {from} WHERE {by} IN ({places})"
        );
        values.extend(some);
    }
    let Engine::Postgres(connection) = &mut conn.engine else {
        return Err(StoreError::Corrupt("SQLite reads one set at a time"));
    };
    let mut query = sqlx::query_as::<_, (i32, Vec<Option<String>>)>(AssertSqlSafe(sql));
    for value in values {
        query = query.bind(value);
    }
    let read = query.fetch_all(&mut **connection).await;
    let mut stamp = None;
    for (number, cells) in conn.after(read)? {
        let Some(set) = usize::try_from(number).ok().and_then(|number| sets.get_mut(number)) else {
            stamp = stamp_of(&cells);
            continue;
        };
        let columns = set.columns.iter().zip(cells);
        let row: Option<Vec<Json>> = columns.map(|(column, text)| cell_of(column.kind, text)).collect();
        set.rows.push(row.ok_or(StoreError::Corrupt("a row for the log"))?);
    }
    stamp.ok_or(StoreError::Corrupt("PostgreSQL's clock"))
}

fn stamp_of(cells: &[Option<String>]) -> Option<Stamp> {
    let [Some(at), Some(transaction)] = cells else { return None };
    Some((Micros(at.parse().ok()?), transaction.parse().ok()?))
}

/// A column as a text of which [`cell_of`] makes what [`Cell`] is written as.
fn as_text(column: &Column) -> String {
    let name = quote(&column.name);
    match column.kind {
        Kind::Text => format!("t.{name}"),
        Kind::Int | Kind::Bool => format!("CAST(t.{name} AS TEXT)"),
        Kind::Bytes => format!("translate(encode(t.{name}, 'base64'), E'\\n', '')"),
    }
}

fn cell_of(kind: Kind, text: Option<String>) -> Option<Json> {
    let Some(text) = text else { return Some(Json::Null) };
    match kind {
        Kind::Text | Kind::Bytes => Some(Json::String(text)),
        Kind::Int => text.parse::<i64>().ok().map(Json::from),
        Kind::Bool => text.parse::<bool>().ok().map(Json::from),
    }
}

async fn read(
    conn: &mut Conn,
    sql: String,
    columns: &[Column],
    some: &[&[u8]],
) -> Result<Vec<Vec<Json>>, sqlx::Error> {
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
