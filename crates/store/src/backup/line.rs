//! The backup's lines: a header, for each table its columns and its rows, and an end with what was
//! written, so that neither a lost tail nor a changed line passes for a whole backup.

use super::cell::Cell;
use super::fault::BackupError;
use super::places::Table;
use aws_lc_rs::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead, Read as _, Write};

/// The format that this binary writes.
pub(super) const FORMAT: u32 = 1;

/// Bytes of the longest line that is read: far more than the largest row.
const LINE_BYTES_MAX: u64 = 64 << 20;

/// What a backup says of itself, first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The format's number.
    pub keystead_backup: u32,
    /// The number of the schema that the rows have.
    pub schema: i64,
    /// `sqlite` or `postgres`: where it was written. Either restores it.
    pub engine: String,
    /// When it was written, in microseconds since the epoch. Everything acknowledged before is in it.
    pub created_at_micros: i64,
    /// Which transactions are in it, as PostgreSQL tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<String>,
}

/// What a backup says of itself, last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct End {
    /// How many rows each table has.
    pub(super) rows: BTreeMap<String, u64>,
    /// SHA-256 of every byte before this line, in hex.
    pub(super) sha256: String,
}

#[derive(Serialize, Deserialize)]
struct EndLine {
    end: End,
}

/// Writes lines, and their hash.
pub(super) struct Lines<'w> {
    out: &'w mut (dyn Write + Send),
    hash: Context,
    line: Vec<u8>,
    /// Rows written of each table.
    rows: BTreeMap<String, u64>,
}

impl<'w> Lines<'w> {
    pub(super) fn new(out: &'w mut (dyn Write + Send)) -> Self {
        Self { out, hash: Context::new(&SHA256), line: Vec::new(), rows: BTreeMap::new() }
    }

    pub(super) fn header(&mut self, header: &Header) -> Result<(), BackupError> {
        self.write(header)
    }

    pub(super) fn table(&mut self, table: &Table) -> Result<(), BackupError> {
        self.rows.insert(table.name.clone(), 0);
        self.write(table)
    }

    pub(super) fn row(&mut self, table: &Table, cells: &[Cell]) -> Result<(), BackupError> {
        if let Some(count) = self.rows.get_mut(&table.name) {
            *count += 1;
        }
        self.write(cells)
    }

    /// Writes the end; how many rows each table has.
    pub(super) fn end(mut self) -> Result<BTreeMap<String, u64>, BackupError> {
        let end = End { rows: std::mem::take(&mut self.rows), sha256: hex(self.hash.clone()) };
        let line = EndLine { end };
        self.write(&line)?;
        self.out.flush()?;
        Ok(line.end.rows)
    }

    fn write<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), BackupError> {
        self.line.clear();
        serde_json::to_writer(&mut self.line, value).map_err(std::io::Error::from)?;
        self.line.push(b'\n');
        self.hash.update(&self.line);
        Ok(self.out.write_all(&self.line)?)
    }
}

fn hex(hash: Context) -> String {
    hash.finish().as_ref().iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A line that was read, after the header.
pub(super) enum Read {
    Table(Table),
    Row(Vec<Json>),
    End(End),
}

/// Reads lines, and their hash.
pub(super) struct Reading<'r> {
    input: &'r mut (dyn BufRead + Send),
    hash: Context,
    line: Vec<u8>,
}

impl<'r> Reading<'r> {
    pub(super) fn new(input: &'r mut (dyn BufRead + Send)) -> Self {
        Self { input, hash: Context::new(&SHA256), line: Vec::new() }
    }

    pub(super) fn header(&mut self) -> Result<Header, BackupError> {
        self.fetch()?;
        let header: Header = serde_json::from_slice(&self.line).map_err(|_| BackupError::NotABackup)?;
        self.hash.update(&self.line);
        if header.keystead_backup == FORMAT { Ok(header) } else { Err(BackupError::NotABackup) }
    }

    /// The next line; an end whose hash is another's is refused.
    pub(super) fn next(&mut self) -> Result<Read, BackupError> {
        self.fetch()?;
        let damaged = |_| BackupError::Damaged("a line cannot be read");
        let read = if self.line.first() == Some(&b'[') {
            Read::Row(serde_json::from_slice(&self.line).map_err(damaged)?)
        } else if let Ok(EndLine { end }) = serde_json::from_slice(&self.line) {
            if end.sha256 != hex(self.hash.clone()) {
                return Err(BackupError::Damaged("it is not what was written"));
            }
            Read::End(end)
        } else {
            Read::Table(serde_json::from_slice(&self.line).map_err(damaged)?)
        };
        self.hash.update(&self.line);
        Ok(read)
    }

    /// Whether nothing follows.
    pub(super) fn is_over(&mut self) -> Result<bool, BackupError> {
        Ok(self.input.fill_buf()?.is_empty())
    }

    fn fetch(&mut self) -> Result<(), BackupError> {
        self.line.clear();
        (&mut *self.input).take(LINE_BYTES_MAX).read_until(b'\n', &mut self.line)?;
        match self.line.last() {
            Some(b'\n') => Ok(()),
            Some(_) if self.line.len() as u64 == LINE_BYTES_MAX => {
                Err(BackupError::Damaged("a line is too long"))
            }
            _ => Err(BackupError::CutOff),
        }
    }
}
