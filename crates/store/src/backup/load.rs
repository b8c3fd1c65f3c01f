//! Restoring: all of a backup, into an empty place, or nothing. Rows are put in as they were
//! written, at the schema that they were written in, and then brought to this binary's.

use super::cell::{Cell, bind_cells};
use super::fault::BackupError;
use super::line::{Header, Read, Reading};
use super::places::{self, OWN_VALUES, Table, quote};
use super::references::References;
use super::replay;
use super::site::Site;
use super::survey::{Survey, survey};
use crate::conn::{Conn, on_engine};
use crate::database::Database;
use crate::log::EPOCH;
use crate::schema;
use keystead_domain::seal::RootKeys;
use serde_json::Value as Json;
use sqlx::AssertSqlSafe;
use std::collections::BTreeMap;
use std::io::BufRead;
use std::path::PathBuf;

/// Values that one statement binds; SQLite takes 32,766 and PostgreSQL 65,535.
const VALUES_MAX: usize = 8_000;
/// Rows that one statement inserts.
const ROWS_MAX: usize = 128;

/// A restore whose rows are in their place, and which nobody sees before [`Self::finish`].
pub struct Restoring {
    site: Site,
    references: References,
    header: Header,
    rows: BTreeMap<String, u64>,
    /// Whether logs tell everything since the backup, as far as can be seen.
    is_covered: bool,
}

/// What was restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// The backup's first line.
    pub header: Header,
    /// How many rows each table had in the backup.
    pub rows: BTreeMap<String, u64>,
    /// The schema's number now.
    pub schema: i64,
}

impl Restoring {
    /// Reads a whole backup into an empty place and checks that it is whole. Nothing stands yet.
    ///
    /// # Errors
    /// When the place is not empty, the backup is newer than this binary, damaged or cut off, or
    /// the database refuses.
    pub async fn begin(database: &Database, input: &mut (dyn BufRead + Send)) -> Result<Self, BackupError> {
        let mut lines = Reading::new(input);
        let header = lines.header()?;
        if header.schema > schema::SUPPORTED {
            return Err(BackupError::NewerSchema { found: header.schema, supported: schema::SUPPORTED });
        }
        let mut site = Site::take(database).await?;
        site.bring_to(header.schema).await?;
        let references = References::off(&mut site.conn).await?;
        site.begin().await?;
        let rows = load(&mut site.conn, &mut lines).await?;
        set_sequences(&mut site.conn).await?;
        Ok(Self { site, references, header, rows, is_covered: false })
    }

    /// The backup's first line.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// The rows, for looking at them before they stand.
    pub const fn conn(&mut self) -> &mut Conn {
        &mut self.site.conn
    }

    /// What logs cover of the time since the backup.
    ///
    /// # Errors
    /// When a log cannot be read, or was sealed by a root key that is not at hand.
    pub async fn survey(&mut self, logs: &[PathBuf], keys: &RootKeys) -> Result<Survey, BackupError> {
        // A backup from before there were logs says nothing of them.
        let known = places::tables(&mut self.site.conn).await?;
        let sessions = if known.iter().any(|table| table.name == "log_sessions") {
            self.site.conn.log_sessions().await?
        } else {
            Vec::new()
        };
        let epoch = self.site.conn.installation_value(EPOCH).await?;
        let survey = survey(&self.header, epoch.as_deref(), &sessions, logs, keys)?;
        self.is_covered = survey.gaps.is_empty();
        Ok(survey)
    }

    /// Puts the logs' rows over the backup's; how many were changed.
    ///
    /// # Errors
    /// When a log cannot be read, or the database refuses.
    pub async fn replay(&mut self, survey: &Survey, keys: &RootKeys) -> Result<u64, BackupError> {
        let (mut changed, mut schema) = (0, self.header.schema);
        let schemas = replay::schemas(survey);
        if let Some(found) = schemas.iter().copied().find(|of_log| *of_log > schema::SUPPORTED) {
            return Err(BackupError::NewerSchema { found, supported: schema::SUPPORTED });
        }
        let latest = replay::latest(survey, keys)?;
        for of_log in schemas {
            if of_log > schema {
                self.references.on(&mut self.site.conn).await?;
                self.site.settle().await?;
                self.site.bring_to(of_log).await?;
                self.references = References::off(&mut self.site.conn).await?;
                self.site.begin().await?;
                schema = of_log;
            }
            changed += replay::replay(&mut self.site.conn, survey, keys, &latest, of_log).await?;
        }
        Ok(changed)
    }

    /// Takes all credits that remain, because nobody knows how many of them were spent since.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn take_credits(&mut self) -> Result<(), BackupError> {
        let sql = "UPDATE meters SET credits_remaining = 0 WHERE credits_remaining > 0";
        run(&mut self.site.conn, sql.to_owned(), &[]).await
    }

    /// Checks that the rows fit each other, brings them to this binary's schema and lets them stand, as
    /// another life of the database, which `epoch` names.
    ///
    /// # Errors
    /// When they do not, or the database refuses; nothing stands then.
    pub async fn finish(mut self, epoch: String) -> Result<Restored, BackupError> {
        self.references.on(&mut self.site.conn).await?;
        self.site.settle().await?;
        self.site.bring_to(schema::SUPPORTED).await?;
        let conn = &mut self.site.conn;
        if !self.is_covered {
            hold_mail(conn, self.header.created_at_micros).await?;
        }
        conn.keep_from_who_knows_no_passkeys().await?;
        conn.keep_from_who_asks_no_policies().await?;
        conn.keep_from_who_knows_no_guards().await?;
        // Logs from before say nothing of this life of the database.
        conn.forget_log_sessions().await?;
        run(conn, format!("DELETE FROM installation WHERE name = '{EPOCH}'"), &[]).await?;
        let row = [Cell::Text(Some(EPOCH.to_owned())), Cell::Text(Some(epoch))];
        run(conn, "INSERT INTO installation (name, value) VALUES ($1, $2)".to_owned(), &row).await?;
        self.site.keep().await?;
        Ok(Restored { header: self.header, rows: self.rows, schema: schema::SUPPORTED })
    }
}

/// Keeps notices that waited when the backup was written from being sent: they may have been sent since, and
/// no log tells.
async fn hold_mail(conn: &mut Conn, at: i64) -> Result<(), BackupError> {
    let hold = "UPDATE outbox SET outcome = 'held', closed_at = $1, sending_since = NULL \
        WHERE state <> 'nobody' AND outcome IS NULL";
    run(conn, hold.to_owned(), &[Cell::Int(Some(at))]).await
}

async fn load(conn: &mut Conn, lines: &mut Reading<'_>) -> Result<BTreeMap<String, u64>, BackupError> {
    let known = places::tables(conn).await?;
    let mut counts = BTreeMap::new();
    let mut into: Option<Rows> = None;
    loop {
        match lines.next()? {
            Read::Table(table) => {
                finish(conn, into.take(), &mut counts).await?;
                into = Some(Rows::into(conn, &known, table).await?);
            }
            Read::Row(values) => {
                let rows = into.as_mut().ok_or(BackupError::Damaged("a row without its table"))?;
                rows.add(conn, values).await?;
            }
            Read::End(end) => {
                finish(conn, into.take(), &mut counts).await?;
                if end.rows != counts || !lines.is_over()? {
                    return Err(BackupError::Damaged("it does not have the rows that it says"));
                }
                return Ok(counts);
            }
        }
    }
}

async fn finish(
    conn: &mut Conn,
    rows: Option<Rows>,
    counts: &mut BTreeMap<String, u64>,
) -> Result<(), BackupError> {
    let Some(mut rows) = rows else { return Ok(()) };
    rows.flush(conn).await?;
    if counts.insert(rows.table.name, rows.count).is_some() {
        return Err(BackupError::Damaged("a table that comes twice"));
    }
    Ok(())
}

/// Rows on their way into one table.
struct Rows {
    table: Table,
    waiting: Vec<Cell>,
    count: u64,
}

impl Rows {
    /// The table as the file names it must be one that the schema has: no name of a file's gets
    /// into a statement unless the schema has it too.
    async fn into(conn: &mut Conn, known: &[Table], table: Table) -> Result<Self, BackupError> {
        let there = known.iter().find(|there| there.name == table.name);
        let there = there.ok_or(BackupError::Damaged("a table that its schema does not have"))?;
        if table.columns.is_empty() || table.columns.iter().any(|column| !there.columns.contains(column)) {
            return Err(BackupError::Damaged("a column that its schema does not have"));
        }
        // What the schema's steps put there is in the backup too.
        let filter = if table.name == "installation" { OWN_VALUES } else { "1 = 1" };
        run(conn, format!("DELETE FROM {} WHERE {filter}", quote(&table.name)), &[]).await?;
        Ok(Self { table, waiting: Vec::new(), count: 0 })
    }

    async fn add(&mut self, conn: &mut Conn, values: Vec<Json>) -> Result<(), BackupError> {
        if values.len() != self.table.columns.len() {
            return Err(BackupError::Damaged("a row of another width than its table"));
        }
        for (column, value) in self.table.columns.iter().zip(values) {
            self.waiting.push(Cell::from_json(column.kind, value)?);
        }
        self.count += 1;
        if self.waiting.len() >= VALUES_MAX.min(ROWS_MAX * self.table.columns.len()) {
            self.flush(conn).await?;
        }
        Ok(())
    }

    async fn flush(&mut self, conn: &mut Conn) -> Result<(), BackupError> {
        if !self.waiting.is_empty() {
            insert(conn, &self.table, &self.waiting, "").await?;
            self.waiting.clear();
        }
        Ok(())
    }
}

/// Inserts rows, given as one row's cells after the other's; `end` ends the statement.
pub(super) async fn insert(
    conn: &mut Conn,
    table: &Table,
    cells: &[Cell],
    end: &'static str,
) -> Result<(), BackupError> {
    let width = table.columns.len();
    let mut values = String::new();
    for row in 0..cells.len() / width {
        values.push_str(if row == 0 { "(" } else { ", (" });
        for place in 1..=width {
            values.push_str(&format!("{}${}", if place == 1 { "" } else { ", " }, row * width + place));
        }
        values.push(')');
    }
    // Numbers that the database gives out itself are restored too.
    let over = if conn.is_on_postgres() { " OVERRIDING SYSTEM VALUE" } else { "" };
    let (name, columns) = (quote(&table.name), table.column_list());
    run(conn, format!("INSERT INTO {name} ({columns}){over} VALUES {values}{end}"), cells).await
}

/// Runs a statement that is made of the schema's names and of numbers only.
pub(super) async fn run(conn: &mut Conn, sql: String, cells: &[Cell]) -> Result<(), BackupError> {
    on_engine!(conn, connection => {
        bind_cells!(sqlx::query(AssertSqlSafe(sql)), cells).execute(connection).await?;
    });
    Ok(())
}

const IDENTITIES: &str = "SELECT table_name::text, column_name::text FROM information_schema.columns \
    WHERE table_schema = current_schema() AND is_identity = 'YES'";

/// On PostgreSQL, makes numbers go on after the greatest that was restored; SQLite's follow the rows.
async fn set_sequences(conn: &mut Conn) -> Result<(), BackupError> {
    let crate::conn::Engine::Postgres(connection) = &mut conn.engine else { return Ok(()) };
    let found: Vec<(String, String)> = sqlx::query_as(IDENTITIES).fetch_all(&mut **connection).await?;
    for (table, column) in found {
        let sql = format!(
            "SELECT setval(pg_get_serial_sequence($1, $2), coalesce(max({}), 0) + 1, false) FROM {}",
            quote(&column),
            quote(&table)
        );
        sqlx::query(AssertSqlSafe(sql)).bind(quote(&table)).bind(column).execute(&mut **connection).await?;
    }
    Ok(())
}

impl std::fmt::Debug for Restoring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Restoring").field("header", &self.header).finish_non_exhaustive()
    }
}
