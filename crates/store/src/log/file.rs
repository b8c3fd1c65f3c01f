//! A log's file that is written: begun, continued behind its last whole record, set aside when it is full.

use super::read::{LogFile, LogFileError};
use super::seal::Seal;
use super::{Before, LogTail};
use crate::folder::sync_folder_of;
use keystead_domain::seal::RootKeys;
use keystead_domain::time::Micros;
use rand_core::Rng;
use std::fs::{self, File, TryLockError};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use zeroize::Zeroizing;

/// Bytes after which a new file is begun.
pub(super) const FILE_BYTES_MAX: u64 = 64 << 20;

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
    let (mut tail, damaged) = read.tail()?;
    tail.before.extend(next_id(path, keys).map(|log| Before { log, begun: None }));
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

/// Begins another file, beside the one that is written: [`take_over`] gives it the name. Also the id of
/// the one that it replaces.
pub(super) fn begin_next(
    path: &Path,
    keys: &RootKeys,
    rng: Box<dyn Rng + Send>,
    locked: Arc<File>,
) -> Result<(Writing, Option<[u8; 16]>), LogFileError> {
    let (next, replaced) = (hidden(path, "next"), next_id(path, keys));
    match fs::remove_file(&next) {
        // What was left here by a process that was killed, or by an attempt that failed.
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(LogFileError::Io { path: next, error }),
        _ => Ok((begin(path, &next, keys, rng, locked)?, replaced)),
    }
}

/// The id of the file that was begun beside a log and has not taken over.
fn next_id(path: &Path, keys: &RootKeys) -> Option<[u8; 16]> {
    LogFile::open(&hidden(path, "next"), keys).ok().map(|next| next.id())
}

/// Sets the file that was written aside, and gives its name to the next.
pub(super) fn take_over(path: &Path, now: Micros) -> Result<(), LogFileError> {
    let aside = set_aside(path, now)?;
    let renamed = fs::rename(hidden(path, "next"), path);
    if renamed.is_err() {
        // It is still the one that is written; where its name does not come back, the next start begins
        // a new one.
        let _ = fs::rename(aside, path);
    }
    renamed.and_then(|()| sync_folder_of(path)).map_err(|error| LogFileError::Io { path: path.into(), error })
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
    sync_folder_of(path).map_err(io)?;
    Ok(writing)
}

/// Under a name that says when, so that a restore can still be given it.
fn set_aside(path: &Path, now: Micros) -> Result<PathBuf, LogFileError> {
    let mut aside = path.as_os_str().to_owned();
    aside.push(format!(".until-{}", now.to_timestamp().strftime("%Y%m%dT%H%M%S%.6fZ")));
    fs::rename(path, &aside).map_err(|error| LogFileError::Io { path: path.into(), error })?;
    Ok(aside.into())
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
