//! What the given logs cover of the time after a backup, and where they do not: a restore names it
//! before it goes on.

use super::fault::BackupError;
use super::line::Header;
use super::snapshot::Snapshot;
use crate::log::{Begin, Images, LogFile, Next, Record};
use crate::tables::log_sessions::LogSessionRow;
use keystead_domain::seal::RootKeys;
use keystead_domain::time::{Micros, SECOND};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// A record is written a moment before its commit, which may be after the backup's instant. More
/// than the time between two signs of life, so that a clock that steps back after the backup does
/// not date what comes later before this.
const UNDER_WAY_MICROS: i64 = 180 * SECOND;

/// A time about which the logs say nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// From this instant on.
    pub from: Micros,
    /// Until this one; nobody knows when `None`.
    pub to: Option<Micros>,
    /// Why.
    pub why: String,
}

/// How what is known ends. Nothing in a log can prove that nothing followed it: a copy made
/// earlier, or one whose end was cut off, looks the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The process ended in order.
    Closed,
    /// It did not: a crash ends a log so.
    Unclosed,
    /// No process kept a log when the backup was written, and none is known to have begun one.
    NoneRan,
}

/// Where what is known ends: somebody has to say whether anything was changed after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// Whose log; the backup itself where none ran.
    pub place: String,
    /// The last sign of life.
    pub until: Micros,
    /// How.
    pub how: Ending,
}

/// What the logs cover.
#[derive(Debug, Default)]
pub struct Survey {
    /// What is missing.
    pub gaps: Vec<Gap>,
    /// What may be missing at the end: never empty when there is no gap.
    pub ends: Vec<End>,
    pub(super) files: Vec<PathBuf>,
    /// The sessions whose records count.
    pub(super) sessions: Vec<Session>,
    /// Records whose commits failed: file and number.
    pub(super) undone: BTreeSet<(usize, u64)>,
    /// What the backup has seen, where its engine says so exactly.
    pub(super) snapshot: Option<Snapshot>,
}

impl Survey {
    /// Whether what a session's record says is in the backup.
    pub(super) fn has(&self, session: &Session, images: &Images) -> bool {
        match (&self.snapshot, images.transaction) {
            // Transactions may count anew since: in a server that the database was moved to.
            _ if session.since == i64::MIN => false,
            (Some(snapshot), Some(transaction)) => snapshot.sees(transaction),
            _ => images.at < session.since,
        }
    }
}

/// A session, as its log has it.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) file: usize,
    log: [u8; 16],
    pub(super) begin: Begin,
    /// Records from before this are in the backup; none is when it began after it.
    pub(super) since: i64,
    /// The number of its first record, and of the first one after it.
    pub(super) records: std::ops::Range<u64>,
    last_at: i64,
    closed: bool,
    gaps: Vec<(i64, i64)>,
}

/// Reads every log, and compares them with what the backup says of who kept one.
pub(super) fn survey(
    header: &Header,
    epoch: Option<&str>,
    known: &[LogSessionRow],
    logs: &[PathBuf],
    keys: &RootKeys,
) -> Result<Survey, BackupError> {
    let snapshot = header.snapshot.as_deref().map(Snapshot::parse).transpose()?;
    let mut survey = Survey { files: logs.to_vec(), snapshot, ..Survey::default() };
    let mut found = Vec::new();
    let mut ids = BTreeSet::new();
    for (file, path) in logs.iter().enumerate() {
        let mut log = LogFile::open(path, keys)?;
        if !ids.insert(log.id()) {
            return Err(BackupError::Log(format!("{} was given twice", path.display())));
        }
        read(&mut log, file, &mut found, &mut survey)?;
    }
    // Another life's records are of another database.
    let others = found.iter().any(|session| Some(session.begin.epoch.as_str()) != epoch);
    found.retain(|session| Some(session.begin.epoch.as_str()) == epoch);
    let at = Micros(header.created_at_micros);
    let mut gap = |why: String| survey.gaps.push(Gap { from: at, to: None, why });
    if others && found.is_empty() {
        gap("the given logs belong to another life of the database: before or after a restore".into());
    }
    let last = known.iter().map(|session| session.number).max().unwrap_or(0);
    let running: Vec<&LogSessionRow> = known.iter().filter(|session| session.ended_at.is_none()).collect();
    missing(&found, &running, last).into_iter().for_each(&mut gap);
    if epoch.is_none() {
        gap("the backup is from before logs were kept".into());
    }
    found.retain_mut(|one| {
        // One that began after the backup is not in it, whatever its clock says.
        one.since = if one.begin.number > last { i64::MIN } else { at.0.saturating_sub(UNDER_WAY_MICROS) };
        one.begin.number > last || running.iter().any(|session| session.number == one.begin.number)
    });
    if running.is_empty() && found.is_empty() && survey.gaps.is_empty() {
        survey.ends.push(End { place: "the backup".into(), until: at, how: Ending::NoneRan });
    }
    ends(&found, &mut survey);
    survey.sessions = found;
    Ok(survey)
}

/// Why logs that must be there are not.
fn missing(found: &[Session], running: &[&LogSessionRow], last: i64) -> Vec<String> {
    let mut missing = Vec::new();
    let follows = |number: i64| found.iter().any(|one| one.begin.follows.contains(&number));
    for session in running {
        let is_it = |one: &Session| one.begin.number == session.number && Some(one.log) == session.log;
        match session.log {
            None => missing.push(format!("{} kept no log when the backup was written", session.place)),
            Some(_) if found.iter().any(is_it) || follows(session.number) => {}
            Some(_) => missing.push(format!("the log of {} was not given", session.place)),
        }
        // A process ends what was open of its log before it begins: an open one is alive.
        let twin = |one: &&&LogSessionRow| one.number > session.number && one.log == session.log;
        if let Some(twin) = running.iter().find(twin).filter(|_| session.log.is_some()) {
            missing.push(format!("{} and {} write copies of one log", session.place, twin.place));
        }
    }
    let newest = found.iter().map(|session| session.begin.number).max().unwrap_or(last);
    for number in last + 1..newest {
        if !found.iter().any(|session| session.begin.number == number) && !follows(number) {
            missing.push(format!(
                "the log of session {number} was not given: another node, or a time without a log"
            ));
        }
    }
    missing
}

/// Holes within sessions, and where the last session of each log ends.
fn ends(found: &[Session], survey: &mut Survey) {
    for session in found {
        for (from, to) in session.gaps.iter().filter(|(_, to)| *to >= session.since) {
            let why = format!("{} could not write its log", session.begin.place);
            survey.gaps.push(Gap { from: Micros(*from), to: Some(Micros(*to)), why });
        }
        // The next session of a log begins by writing again what this one may have left unsettled.
        let goes_on = found.iter().any(|other| {
            let number = session.begin.number;
            other.begin.after == Some(number) || other.log == session.log && other.begin.number > number
        });
        if !goes_on {
            let (place, until) = (session.begin.place.clone(), Micros(session.last_at));
            let how = if session.closed { Ending::Closed } else { Ending::Unclosed };
            survey.ends.push(End { place, until, how });
        }
    }
}

fn read(
    log: &mut LogFile,
    file: usize,
    found: &mut Vec<Session>,
    survey: &mut Survey,
) -> Result<(), BackupError> {
    let mut current: Option<Session> = None;
    loop {
        let (number, record) = match log.next()? {
            Next::Record(number, record) => (number, record),
            Next::End => break,
            Next::Damaged => {
                let from = current.as_ref().map_or(i64::MIN, |session| session.last_at);
                let why = format!("{} is damaged from here on", log.path().display());
                survey.gaps.push(Gap { from: Micros(from), to: None, why });
                break;
            }
        };
        if let Record::Begin(begin) = record {
            found.extend(current.take());
            current = Some(Session {
                file,
                log: log.id(),
                last_at: begin.at,
                begin,
                since: i64::MIN,
                records: number..number + 1,
                closed: false,
                gaps: Vec::new(),
            });
            continue;
        }
        let Some(session) = &mut current else { continue };
        session.records.end = number + 1;
        session.last_at = record.at().map_or(session.last_at, |at| at.0.max(session.last_at));
        match record {
            Record::Undone { record } => {
                survey.undone.insert((file, record));
            }
            Record::Gap { from, to } => session.gaps.push((from, to)),
            Record::End { .. } => session.closed = true,
            Record::Begin(_) | Record::Rows(_) | Record::Beat { .. } => {}
        }
    }
    found.extend(current);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In a server that the database was moved to transactions count anew: by their numbers alone, what
    /// was revoked there would be taken for old.
    #[test]
    fn what_began_after_the_backup_is_not_in_it_whatever_its_number() {
        let snapshot = Some(Snapshot::parse("900:900:").unwrap());
        let survey = Survey { snapshot, ..Survey::default() };
        let session = |since| Session {
            file: 0,
            log: [1; 16],
            begin: Begin {
                number: 2,
                epoch: "first".into(),
                schema: 9,
                place: "here".into(),
                at: 0,
                follows: Vec::new(),
                after: None,
            },
            since,
            records: 0..1,
            last_at: 0,
            closed: false,
            gaps: Vec::new(),
        };
        let images = Images { at: 5, transaction: Some(7), sets: Vec::new() };
        assert!(survey.has(&session(0), &images));
        assert!(!survey.has(&session(i64::MIN), &images));
    }
}
