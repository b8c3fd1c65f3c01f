//! The log's file: a line that says what it is, then records, each sealed for its number in the
//! file, so that none can be changed, moved or left out.

use super::LogTail;
use super::capture::Touched;
use super::places::logged;
use super::record::Record;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use keystead_domain::seal::{RootKey, RootKeys};
use keystead_domain::time::{Micros, SECOND};
use rand_core::Rng;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::fs::{self, File, TryLockError};
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use zeroize::Zeroizing;

/// Bytes of the longest record that is read.
const RECORD_BYTES_MAX: u32 = 256 << 20;
/// Bytes after which a new file is begun.
pub(super) const FILE_BYTES_MAX: u64 = 64 << 20;
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

#[derive(Serialize, Deserialize)]
struct Header {
    keystead_log: u32,
    /// 16 bytes.
    id: String,
    /// The key of the records, sealed by the root key.
    key: String,
}

/// What seals a log's records.
pub(super) struct Seal {
    pub(super) id: [u8; 16],
    secret: Zeroizing<[u8; 32]>,
    key: RootKey,
}

impl Seal {
    fn new(id: [u8; 16], secret: Zeroizing<[u8; 32]>) -> Option<Self> {
        RootKey::new(&secret).map(|key| Self { id, secret, key })
    }

    fn place(&self) -> String {
        format!("log/{}", STANDARD.encode(self.id.as_slice()))
    }

    /// The file's first line. It is as long whichever root key seals it.
    pub(super) fn header(&self, keys: &RootKeys, rng: &mut dyn Rng) -> Option<Vec<u8>> {
        let key = keys.seal(&self.place(), self.secret.as_slice(), rng).ok()?;
        let id = STANDARD.encode(self.id.as_slice());
        let header = Header { keystead_log: 1, id, key: STANDARD.encode(key) };
        let mut line = serde_json::to_vec(&header).ok()?;
        line.push(b'\n');
        Some(line)
    }

    fn open(line: &[u8], keys: &RootKeys) -> Option<Self> {
        let header: Header = serde_json::from_slice(line).ok()?;
        let id: [u8; 16] = STANDARD.decode(header.id).ok()?.try_into().ok()?;
        let place = format!("log/{}", STANDARD.encode(id.as_slice()));
        let secret = keys.open(&place, &STANDARD.decode(header.key).ok()?).ok()?;
        let secret = Zeroizing::new(<[u8; 32]>::try_from(secret.as_slice()).ok()?);
        Self::new(id, secret).filter(|_| header.keystead_log == 1)
    }

    /// A record as it stands in the file.
    pub(super) fn frame(&self, number: u64, record: &Record, rng: &mut dyn Rng) -> Option<Vec<u8>> {
        let body = serde_json::to_vec(record).ok()?;
        let sealed = self.key.seal(&format!("{}/{number}", self.place()), &body, rng).ok()?;
        let length = u32::try_from(sealed.len()).ok().filter(|length| *length <= RECORD_BYTES_MAX)?;
        Some([length.to_be_bytes().as_slice(), &sealed].concat())
    }

    fn record(&self, number: u64, sealed: &[u8]) -> Option<Record> {
        let body = self.key.open(&format!("{}/{number}", self.place()), sealed).ok()?;
        serde_json::from_slice(&body).ok()
    }
}

/// A log's file that is read.
pub struct LogFile {
    path: PathBuf,
    input: BufReader<File>,
    seal: Seal,
    number: u64,
    /// Where the records that could be read end, in bytes.
    whole: u64,
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
}

/// A log's file that is written.
pub(super) struct Writing {
    pub(super) path: PathBuf,
    pub(super) file: File,
    pub(super) seal: Arc<Seal>,
    pub(super) rng: Box<dyn Rng + Send>,
    /// The next record's number.
    pub(super) number: u64,
    /// Where the synced records end, in bytes.
    pub(super) end: u64,
    /// As a full disk would.
    #[cfg(feature = "testing")]
    pub(super) fails: bool,
    /// Two processes would write over each other's records.
    pub(super) locked: Arc<File>,
}

/// Opens a log to write on, behind its last whole record; begins a new one where there is none, or
/// one that cannot be continued, which is set aside.
pub(super) fn open(
    path: &Path,
    keys: &RootKeys,
    rng: Box<dyn Rng + Send>,
    now: Micros,
) -> Result<(Writing, LogTail), LogFileError> {
    let io = |error| LogFileError::Io { path: path.into(), error };
    let locked = Arc::new(lock(path)?);
    let mut read = match LogFile::open(path, keys) {
        Ok(read) => read,
        Err(LogFileError::Io { error, .. }) if error.kind() == io::ErrorKind::NotFound => {
            return Ok((begin(path, path, keys, rng, locked)?, LogTail::default()));
        }
        Err(LogFileError::Sealed(_)) => {
            set_aside(path, now)?;
            return Ok((begin(path, path, keys, rng, locked)?, LogTail::default()));
        }
        Err(error) => return Err(error),
    };
    let (mut tail, damaged) = tail(&mut read)?;
    tail.next = LogFile::open(&hidden(path, "next"), keys).ok().map(|next| next.id());
    if damaged || read.whole > FILE_BYTES_MAX {
        set_aside(path, now)?;
        return Ok((begin(path, path, keys, rng, locked)?, tail));
    }
    let file = crate::owner::open_private(path).map_err(io)?;
    // What a crash left half-written was never acknowledged.
    file.set_len(read.whole).and_then(|()| file.sync_all()).map_err(io)?;
    let LogFile { seal, number, whole: end, .. } = read;
    let mut writing = Writing {
        path: path.into(),
        file,
        seal: Arc::new(seal),
        rng,
        number,
        end,
        #[cfg(feature = "testing")]
        fails: false,
        locked,
    };
    let header = writing.seal.header(keys, &mut *writing.rng);
    writing.put_header(&header.ok_or_else(|| LogFileError::Sealed(path.into()))?).map_err(io)?;
    Ok((writing, tail))
}

fn lock(path: &Path) -> Result<File, LogFileError> {
    let io = |error| LogFileError::Io { path: path.into(), error };
    let file = crate::owner::open_private(&hidden(path, "lock")).map_err(io)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(LogFileError::InUse(path.into())),
        Err(TryLockError::Error(error)) => Err(io(error)),
    }
}

/// A file beside a log, hidden so that `after-backup.log*` names the logs and nothing else.
fn hidden(path: &Path, end: &str) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{end}"))
}

/// Begins another file, beside the one that is written: [`take_over`] gives it the name.
pub(super) fn begin_next(
    path: &Path,
    keys: &RootKeys,
    rng: Box<dyn Rng + Send>,
    locked: Arc<File>,
) -> Result<Writing, LogFileError> {
    let next = hidden(path, "next");
    match fs::remove_file(&next) {
        // What a process that was killed here left.
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(LogFileError::Io { path: next, error }),
        _ => begin(path, &next, keys, rng, locked),
    }
}

/// Sets the file that was written aside, and gives its name to the next.
pub(super) fn take_over(path: &Path, now: Micros) -> Result<(), LogFileError> {
    set_aside(path, now)?;
    fs::rename(hidden(path, "next"), path)
        .and_then(|()| sync_folder(path))
        .map_err(|error| LogFileError::Io { path: path.into(), error })
}

fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new("."))).and_then(|folder| folder.sync_all())
}

/// Begins a log at `place`, which is or will be `path`.
fn begin(
    path: &Path,
    place: &Path,
    keys: &RootKeys,
    mut rng: Box<dyn Rng + Send>,
    locked: Arc<File>,
) -> Result<Writing, LogFileError> {
    let io = |error| LogFileError::Io { path: path.into(), error };
    let sealed = || LogFileError::Sealed(path.into());
    let (mut id, mut secret) = ([0; 16], Zeroizing::new([0; 32]));
    rng.fill_bytes(&mut id);
    rng.fill_bytes(secret.as_mut_slice());
    let seal = Seal::new(id, secret).ok_or_else(sealed)?;
    let header = seal.header(keys, &mut *rng).ok_or_else(sealed)?;
    let file = crate::owner::open_private(place).map_err(io)?;
    let end = u64::try_from(header.len()).unwrap_or(0);
    let mut writing = Writing {
        path: path.into(),
        file,
        seal: Arc::new(seal),
        rng,
        number: 0,
        end,
        #[cfg(feature = "testing")]
        fails: false,
        locked,
    };
    writing.put_header(&header).map_err(io)?;
    sync_folder(path).map_err(io)?;
    Ok(writing)
}

/// Under a name that says when, so that a restore can still be given it.
fn set_aside(path: &Path, now: Micros) -> Result<(), LogFileError> {
    let mut aside = path.as_os_str().to_owned();
    aside.push(format!(".until-{}", now.to_timestamp().strftime("%Y%m%dT%H%M%S%.6fZ")));
    fs::rename(path, aside).map_err(|error| LogFileError::Io { path: path.into(), error })
}

/// Reads to the end: when the last record was written, what may be unsettled, whether it is damaged.
fn tail(read: &mut LogFile) -> Result<(LogTail, bool), LogFileError> {
    let (mut recent, mut last_at, mut closed) = (VecDeque::<(i64, Vec<Touched>)>::new(), None, true);
    let mut begun = None;
    let damaged = loop {
        let record = match read.next()? {
            Next::Record(_, record) => record,
            Next::End => break false,
            Next::Damaged => break true,
        };
        last_at = record.at().map(|at| at.0).or(last_at).max(last_at);
        closed = matches!(record, Record::End { .. });
        if let Record::Begin(begin) = &record {
            begun = Some((begin.epoch.clone(), begin.number));
        }
        if let Record::Rows(images) = record {
            let touched = images.sets.iter().filter_map(|set| Some((logged(&set.table)?.0, &set.targets)));
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
    Ok((LogTail { last_at: last_at.map(Micros), begun, next: None, unsettled }, damaged))
}

impl Writing {
    /// Writes the first line, which keeps its length.
    pub(super) fn put_header(&mut self, header: &[u8]) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(header)?;
        self.file.sync_data()
    }

    /// Writes records and syncs them; on a failure none of them stands.
    pub(super) fn put(&mut self, frames: &[u8], count: u64) -> io::Result<()> {
        #[cfg(feature = "testing")]
        if self.fails {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.file.set_len(self.end)?;
        self.file.seek(SeekFrom::Start(self.end))?;
        self.file.write_all(frames)?;
        self.file.sync_data()?;
        self.end += u64::try_from(frames.len()).unwrap_or(0);
        self.number += count;
        Ok(())
    }
}
