//! Putting the logs' rows over a backup's: of each row what was written of it last.

use super::cell::Cell;
use super::fault::BackupError;
use super::load::{insert, run};
use super::places::{self, Table, quote};
use super::survey::Survey;
use crate::conn::Conn;
use crate::log::{Images, LogFile, Next, Record, Set, logged};
use keystead_domain::seal::RootKeys;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Rows that one statement inserts.
const ROWS_MAX: usize = 128;
/// Rows that one statement deletes.
const TARGETS_MAX: usize = 256;

/// Which of two records is later: by the session where sessions follow each other, as on SQLite,
/// whose clock may have stepped back; by the instant; then by the file, and the number there.
type At = (i64, i64, usize, u64);

/// Where each row was written last, and in which schema.
pub(super) struct Latest(HashMap<(&'static str, Vec<u8>), (At, i64)>);

/// The schemas that the logs' rows have, the oldest first.
pub(super) fn schemas(survey: &Survey) -> Vec<i64> {
    let all: BTreeSet<i64> = survey.sessions.iter().map(|session| session.begin.schema).collect();
    all.into_iter().collect()
}

/// Reads every log for where each row was written last, whichever node and whichever schema did.
pub(super) fn latest(survey: &Survey, keys: &RootKeys) -> Result<Latest, BackupError> {
    let mut latest = Latest(HashMap::new());
    for schema in schemas(survey) {
        for file in 0..survey.files.len() {
            let mut log = Records::open(survey, file, keys, schema)?;
            while let Some((at, images)) = log.next()? {
                let here = (at, schema);
                for set in &images.sets {
                    let Some((table, _)) = logged(&set.table) else { continue };
                    for target in &set.targets {
                        let last = latest.0.entry((table, target.clone())).or_insert(here);
                        *last = here.max(*last);
                    }
                }
            }
        }
    }
    Ok(latest)
}

/// Puts the rows that were last written in one schema into a database that has it; how many.
pub(super) async fn replay(
    conn: &mut Conn,
    survey: &Survey,
    keys: &RootKeys,
    latest: &Latest,
    schema: i64,
) -> Result<u64, BackupError> {
    let known = places::tables(conn).await?;
    // All go before any comes: a name that one row gave up another may have taken, in whichever file.
    let mut targets: BTreeMap<&'static str, Vec<&[u8]>> = BTreeMap::new();
    let later = latest.0.iter().filter(|(_, (_, of))| *of >= schema);
    for ((table, target), _) in later {
        targets.entry(table).or_default().push(target);
    }
    for (name, targets) in &targets {
        if known.iter().any(|table| table.name == *name) {
            delete(conn, name, targets).await?;
        }
    }
    for file in 0..survey.files.len() {
        let mut log = Records::open(survey, file, keys, schema)?;
        while let Some((at, images)) = log.next()? {
            let here = (at, schema);
            for set in &images.sets {
                put(conn, &known, set, |table, target| {
                    latest.0.get(&(table, target.to_vec())) == Some(&here)
                })
                .await?;
            }
        }
    }
    Ok(latest.0.values().filter(|(_, of)| *of == schema).count() as u64)
}

async fn delete(conn: &mut Conn, name: &'static str, targets: &[&[u8]]) -> Result<(), BackupError> {
    let Some((name, column)) = logged(name) else { return Ok(()) };
    let (from, by) = (quote(name), quote(column));
    for some in targets.chunks(TARGETS_MAX) {
        let places: Vec<String> = (1..=some.len()).map(|place| format!("${place}")).collect();
        let cells: Vec<Cell> = some.iter().map(|target| Cell::Bytes(Some(target.to_vec()))).collect();
        run(conn, format!("DELETE FROM {from} WHERE {by} IN ({})", places.join(", ")), &cells).await?;
    }
    Ok(())
}

/// Puts in the rows of which this is the last image.
async fn put(
    conn: &mut Conn,
    known: &[Table],
    set: &Set,
    is_last: impl Fn(&'static str, &[u8]) -> bool,
) -> Result<(), BackupError> {
    let there = known.iter().find(|table| table.name == set.table);
    let there = there.ok_or(BackupError::Damaged("a log names a table that its schema does not have"))?;
    if set.columns.iter().any(|column| !there.columns.contains(column)) {
        return Err(BackupError::Damaged("a log names a column that its schema does not have"));
    }
    let table = Table { name: set.table.clone(), columns: set.columns.clone() };
    let rows = set.cells()?;
    let Some((name, column)) = logged(&set.table) else {
        // Policies: shared by keys, found by what they say, and never changed.
        for row in rows {
            insert(conn, &table, &row, " ON CONFLICT DO NOTHING").await?;
        }
        return Ok(());
    };
    let at = set.columns.iter().position(|one| one.name == column);
    let at = at.ok_or(BackupError::Damaged("a log's rows do not say what they are found by"))?;
    let kept: Vec<Vec<Cell>> = rows
        .into_iter()
        .filter(|row| matches!(row.get(at), Some(Cell::Bytes(Some(id))) if is_last(name, id)))
        .collect();
    for some in kept.chunks(ROWS_MAX) {
        insert(conn, &table, &some.concat(), "").await?;
    }
    Ok(())
}

/// The records of one file that count: of a session of this schema, committed, after the backup.
struct Records<'s> {
    survey: &'s Survey,
    file: usize,
    schema: i64,
    log: LogFile,
}

impl<'s> Records<'s> {
    fn open(survey: &'s Survey, file: usize, keys: &RootKeys, schema: i64) -> Result<Self, BackupError> {
        let path = survey.files.get(file).ok_or(BackupError::Damaged("a log is gone"))?;
        Ok(Self { survey, file, schema, log: LogFile::open(path, keys)? })
    }

    fn next(&mut self) -> Result<Option<(At, Images)>, BackupError> {
        loop {
            let Next::Record(number, record) = self.log.next()? else { return Ok(None) };
            let Record::Rows(images) = record else { continue };
            let session = self.survey.sessions.iter().find(|session| {
                session.file == self.file
                    && session.begin.schema == self.schema
                    && session.records.contains(&number)
            });
            let Some(session) = session else { continue };
            if self.survey.undone.contains(&(self.file, number)) || self.survey.has(session, &images) {
                continue;
            }
            let of_session = if images.transaction.is_none() { session.begin.number } else { 0 };
            return Ok(Some(((of_session, images.at, self.file, number), images)));
        }
    }
}
