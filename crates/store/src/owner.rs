//! One process owns a SQLite file: its keyring is the truth about who may pass, and a second process
//! that revokes a key behind its back would not be heard. On PostgreSQL several nodes share one
//! database and hear each other through the feed: see `feed_reader`.

use crate::database::Database;
use crate::error::OpenError;
use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

/// Owns a SQLite file by an exclusive lock on the file beside it; the system lets go of it when
/// the process ends, however it ends.
pub(crate) struct FileOwner {
    _locked: File,
}

impl FileOwner {
    /// Takes the file, which exists.
    pub(crate) fn take(path: &Path, database: &Database) -> Result<Self, OpenError> {
        let mut name = path.as_os_str().to_owned();
        name.push(".lock");
        let file = open_private(&PathBuf::from(name)).map_err(|error| unreachable(database, &error))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _locked: file }),
            Err(TryLockError::WouldBlock) => Err(OpenError::AlreadyOwned { database: database.to_string() }),
            Err(TryLockError::Error(error)) => Err(unreachable(database, &error)),
        }
    }
}

/// Opens a file, and makes it for its owner's eyes only when it is not there. SQLite gives its
/// `-wal` and `-shm` files the mode of the database's.
pub(crate) fn open_private(path: &Path) -> Result<File, std::io::Error> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

pub(crate) fn unreachable(database: &Database, error: &std::io::Error) -> OpenError {
    OpenError::Unreachable {
        database: database.to_string(),
        reason: error.to_string(),
        fix: "Make sure that its folder exists and that this user may write in it",
    }
}
