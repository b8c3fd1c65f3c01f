//! Why a backup could not be written or restored, and what to do about it.

use crate::error::{OpenError, StoreError};
use crate::log::LogFileError;

/// Why a backup could not be written or restored. Nothing of a restore stands after it.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The database cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The database refused a statement.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// Reading or writing the backup itself.
    #[error("the backup cannot be read or written, or it is cut off or damaged: {0}")]
    Io(#[from] std::io::Error),
    /// There is nothing to back up.
    #[error("{0} holds no installation; there is nothing to back up")]
    NoInstallation(String),
    /// The place for a restore is in use.
    #[error("{0} is not empty; restore into an empty place and point the server to it")]
    NotEmpty(String),
    /// It was written by a newer Keystead.
    #[error(
        "the backup has schema {found} and this Keystead knows up to {supported}; install the Keystead that wrote it, or a newer one"
    )]
    NewerSchema {
        /// The schema's number in the backup.
        found: i64,
        /// The last one that this binary knows.
        supported: i64,
    },
    /// It is no backup, or not one of this format.
    #[error("this is no Keystead backup of a format that this binary reads")]
    NotABackup,
    /// Its end is missing.
    #[error("the backup is cut off: its end is missing. Take another copy of it")]
    CutOff,
    /// It is not what was written.
    #[error("the backup is damaged: {0}. Take another copy of it")]
    Damaged(&'static str),
    /// A log beside the database.
    #[error("{0}")]
    Log(String),
    /// Its rows do not fit each other.
    #[error("rows of the backup refer to rows that are not in it; nothing was restored")]
    Inconsistent,
}

impl From<LogFileError> for BackupError {
    fn from(error: LogFileError) -> Self {
        Self::Log(error.to_string())
    }
}

impl From<sqlx::Error> for BackupError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}
