//! A log's file that is read: a line that says what it is, then records.

use super::capture::Touched;
use super::places::logged;
use super::record::Record;
use super::seal::{RECORD_BYTES_MAX, Seal};
use super::{Before, LogTail};
use keystead_domain::seal::RootKeys;
use keystead_domain::time::{Micros, SECOND};
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

/// A commit is under way for seconds at most: what is older than this is known to have ended.
const UNSETTLED_MICROS: i64 = 60 * SECOND;

/// Why a log's file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LogFileError {
    /// The file system refused.
    #[error("the log {path}: {error}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// Another process writes it.
    #[error(
        "the log {0} is written by another process; give each node a folder of its own, or set backup.log"
    )]
    InUse(PathBuf),
    /// It is no log, or was sealed by a root key that is not at hand.
    #[error("the log {0} does not open: it is no log, or was sealed by another root key")]
    Sealed(PathBuf),
}

/// A log's file that is read.
pub struct LogFile {
    path: PathBuf,
    input: BufReader<File>,
    pub(super) seal: Seal,
    /// Of the next record.
    pub(super) number: u64,
    /// Where the records that could be read end, in bytes.
    pub(super) whole: u64,
}

/// What reading the next record found.
pub(crate) enum Next {
    Record(u64, Record),
    /// Nothing follows, or a record that was being written when the machine stopped.
    End,
    /// Something follows that is no record of this place in this file.
    Damaged,
}

impl LogFile {
    /// Opens a log for reading.
    ///
    /// # Errors
    /// When it cannot be read, is no log, or was sealed by a root key that is not at hand.
    pub fn open(path: &Path, keys: &RootKeys) -> Result<Self, LogFileError> {
        let io = |error| LogFileError::Io { path: path.into(), error };
        let mut input = BufReader::new(File::open(path).map_err(io)?);
        let mut line = Vec::new();
        io::BufRead::read_until(&mut (&mut input).take(1_024), b'\n', &mut line).map_err(io)?;
        let seal = Seal::open(&line, keys).ok_or_else(|| LogFileError::Sealed(path.into()))?;
        let whole = u64::try_from(line.len()).unwrap_or(0);
        Ok(Self { path: path.into(), input, seal, number: 0, whole })
    }

    pub(crate) const fn id(&self) -> [u8; 16] {
        self.seal.id
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn next(&mut self) -> Result<Next, LogFileError> {
        match self.read() {
            Ok(next) => Ok(next),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(Next::End),
            Err(error) => Err(LogFileError::Io { path: self.path.clone(), error }),
        }
    }

    fn read(&mut self) -> io::Result<Next> {
        let mut length = [0; 4];
        self.input.read_exact(&mut length)?;
        let length = u32::from_be_bytes(length);
        if length > RECORD_BYTES_MAX {
            return Ok(Next::Damaged);
        }
        let mut sealed = Vec::new();
        (&mut self.input).take(u64::from(length)).read_to_end(&mut sealed)?;
        if sealed.len() as u64 != u64::from(length) {
            return Ok(Next::End);
        }
        let number = self.number;
        let Some(record) = self.seal.record(number, &sealed) else { return Ok(Next::Damaged) };
        self.number += 1;
        self.whole += 4 + u64::from(length);
        Ok(Next::Record(number, record))
    }

    /// Reads to the end: when the last record was written, what may be unsettled, whether it is damaged.
    pub(super) fn tail(&mut self) -> Result<(LogTail, bool), LogFileError> {
        let (mut recent, mut last_at, mut closed) = (VecDeque::<(i64, Vec<Touched>)>::new(), None, true);
        let mut begun = None;
        let damaged = loop {
            let record = match self.next()? {
                Next::Record(_, record) => record,
                Next::End => break false,
                Next::Damaged => break true,
            };
            closed = matches!(record, Record::End { .. });
            last_at = record.at().map(|at| at.0).or(last_at).max(last_at);
            if let Record::Begin(begin) = record {
                // It settles nothing: what was left unsettled before it is written again only now.
                begun = Some((begin.epoch, begin.number));
                continue;
            }
            if let Record::Rows(images) = record {
                let touched =
                    images.sets.iter().filter_map(|set| Some((logged(&set.table)?.0, &set.targets)));
                let touched = touched.flat_map(|(table, targets)| {
                    targets.iter().map(move |target| Touched { table, target: target.clone() })
                });
                recent.push_back((images.at, touched.collect()));
            }
            let since = last_at.unwrap_or(i64::MIN).saturating_sub(UNSETTLED_MICROS);
            while recent.front().is_some_and(|(at, _)| *at < since) {
                recent.pop_front();
            }
        };
        let mut unsettled: Vec<Touched> =
            if closed { Vec::new() } else { recent.into_iter().flat_map(|(_, touched)| touched).collect() };
        unsettled.sort_unstable();
        unsettled.dedup();
        let before = vec![Before { log: self.seal.id, begun }];
        Ok((LogTail { last_at: last_at.map(Micros), before, unsettled }, damaged))
    }
}
