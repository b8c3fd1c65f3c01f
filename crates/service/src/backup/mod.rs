//! Backups: a consistent copy of an installation in one file that only its recipients can open.

mod locks;
mod restore;
#[cfg(test)]
mod tests;
mod write;

pub use keystead_store::backup::{Ending, Survey};
pub use locks::{InvalidLock, Keys, Recipients};
pub use restore::{Decision, RestoreReport, RestoreRequest, restore};
pub use write::{Backup, write};

use crate::root_key::RootKeyError;
use keystead_store::backup::BackupError;
use std::path::PathBuf;

/// Why a backup was not written, or not restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupFailed {
    /// The database, or the backup's content.
    #[error(transparent)]
    Store(#[from] BackupError),
    /// The backup's file.
    #[error("{path}: {error}")]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// The file is there already.
    #[error("{0} exists; a backup never replaces a file")]
    Exists(PathBuf),
    /// It was encrypted to others, or is no age file.
    #[error("the backup does not open: {0}")]
    Locked(String),
    /// The logs do not cover all of the time since, and that was not accepted.
    #[error("what was revoked and spent since the backup is not known; nothing was restored")]
    Gap,
    /// The root key cannot be had.
    #[error(transparent)]
    RootKey(#[from] RootKeyError),
    /// The root key is another installation's.
    #[error("{0}; nothing was restored")]
    WrongRootKey(#[from] keystead_domain::seal::DoesNotOpen),
}

impl BackupFailed {
    fn file(path: impl Into<PathBuf>, error: std::io::Error) -> Self {
        Self::File { path: path.into(), error }
    }
}
