//! What a database holds, asked of the database itself: its tables, their columns and kinds.

use super::cell::Kind;
use super::fault::BackupError;
use crate::conn::{Conn, Engine};

/// Tables that are not in a backup, each with the reason.
const LEFT_OUT: &[(&str, &str)] = &[
    ("_sqlx_migrations", "the schema's own record: a restore runs the schema's steps"),
    ("sqlite_sequence", "SQLite's own: it follows the rows"),
    ("feed", "news for running nodes: after a restore every node reads everything anew"),
    ("nodes", "who runs on a database now: after a restore others do"),
    ("jobs", "whose turn it is: after a restore every job is due"),
    ("passkey_flows", "who was using a passkey a moment ago: after a restore they begin anew"),
    ("sign_in_flows", "who was signing in a moment ago: after a restore they begin anew"),
    ("sign_in_tries", "who was wrong a moment ago: after a restore nobody was"),
    ("rates", "what running nodes let pass a moment ago: after a restore rate limits begin anew"),
];

/// Rows of `installation` that belong to a database, not to what is in it.
pub(super) const OWN_VALUES: &str =
    "name NOT IN ('schema_oldest_binary', 'feed_trimmed_to', 'rates_counted_by')";

/// Why a table is not in a backup; `None` when it is.
#[must_use]
pub fn left_out(table: &str) -> Option<&'static str> {
    LEFT_OUT.iter().find(|(name, _)| *name == table).map(|(_, reason)| *reason)
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) kind: Kind,
}

/// A table that is backed up.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Table {
    #[serde(rename = "table")]
    pub(crate) name: String,
    pub(crate) columns: Vec<Column>,
}

impl Table {
    pub(crate) fn column_list(&self) -> String {
        let quoted: Vec<String> = self.columns.iter().map(|column| quote(&column.name)).collect();
        quoted.join(", ")
    }
}

/// A name as SQL writes it. Names come from the schema only, never from a file.
pub(crate) fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

const SQLITE: &str = "SELECT t.name, c.name, c.type FROM sqlite_master t JOIN pragma_table_info(t.name) c \
    WHERE t.type = 'table' ORDER BY t.name, c.cid";
const POSTGRES: &str = "SELECT c.table_name::text, c.column_name::text, c.data_type::text \
    FROM information_schema.columns c JOIN information_schema.tables t \
    ON t.table_schema = c.table_schema AND t.table_name = c.table_name \
    WHERE c.table_schema = current_schema() AND t.table_type = 'BASE TABLE' \
    ORDER BY c.table_name COLLATE \"C\", c.ordinal_position";

/// Every table that is backed up, in the order of their names.
pub(crate) async fn tables(conn: &mut Conn) -> Result<Vec<Table>, BackupError> {
    let mut tables: Vec<Table> = Vec::new();
    for (table, name, declared) in every_column(conn).await? {
        if left_out(&table).is_some() {
            continue;
        }
        let kind = Kind::of(&declared).ok_or(BackupError::Damaged("a column of a kind nobody knows"))?;
        let column = Column { name, kind };
        match tables.last_mut().filter(|last| last.name == table) {
            Some(last) => last.columns.push(column),
            None => tables.push(Table { name: table, columns: vec![column] }),
        }
    }
    Ok(tables)
}

/// Whether the database has any table.
pub(crate) async fn is_empty(conn: &mut Conn) -> Result<bool, BackupError> {
    Ok(every_column(conn).await?.is_empty())
}

async fn every_column(conn: &mut Conn) -> Result<Vec<(String, String, String)>, BackupError> {
    Ok(match &mut conn.engine {
        Engine::Sqlite(connection) => sqlx::query_as(SQLITE).fetch_all(&mut **connection).await?,
        Engine::Postgres(connection) => sqlx::query_as(POSTGRES).fetch_all(&mut **connection).await?,
    })
}
