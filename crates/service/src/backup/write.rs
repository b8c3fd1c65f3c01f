//! Writing a backup beside a running server.

use super::{BackupFailed, Recipients};
use keystead_domain::time::Micros;
use keystead_store::backup::{Written, dump};
use keystead_store::{Database, sync_folder_of};
use std::fs::{self, File, OpenOptions};
use std::io::BufWriter;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Bytes that wait before they are written to the file.
const BUFFER_BYTES: usize = 1 << 20;

/// A backup that was written.
#[derive(Debug)]
pub struct Backup {
    /// What is in it.
    pub written: Written,
    /// Its size in bytes.
    pub bytes: u64,
}

/// Writes a backup of the database to a new file that only its owner may read. The file gets its
/// name when all of it is on disk: a backup that was cut off never bears it.
///
/// # Errors
/// When the file exists, the database cannot be read, or the disk refuses.
pub async fn write(
    database: &Database,
    to: &Path,
    recipients: &Recipients,
    now: Micros,
) -> Result<Backup, BackupFailed> {
    if to.try_exists().map_err(|error| BackupFailed::file(to, error))? {
        return Err(BackupFailed::Exists(to.into()));
    }
    let draft = Draft::create(to)?;
    let io = |error| BackupFailed::file(&draft.path, error);
    let file = draft.file.try_clone().map_err(io)?;
    let mut encrypted = recipients.encrypt(BufWriter::with_capacity(BUFFER_BYTES, file)).map_err(io)?;
    let written = dump(database, now, &mut encrypted).await?;
    encrypted.finish().and_then(|out| out.into_inner().map_err(Into::into)).map_err(io)?;
    let bytes = draft.file.metadata().map_err(io)?.len();
    draft.keep(to)?;
    Ok(Backup { written, bytes })
}

/// A file that goes unless it is kept.
struct Draft {
    file: File,
    path: PathBuf,
    kept: bool,
}

impl Draft {
    fn create(to: &Path) -> Result<Self, BackupFailed> {
        let mut path = to.as_os_str().to_owned();
        path.push(".partial");
        let path = PathBuf::from(path);
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        let file = file.map_err(|error| BackupFailed::file(&path, error))?;
        Ok(Self { file, path, kept: false })
    }

    fn keep(mut self, to: &Path) -> Result<(), BackupFailed> {
        let io = |error| BackupFailed::file(to, error);
        self.file.sync_all().map_err(io)?;
        fs::rename(&self.path, to).map_err(io)?;
        self.kept = true;
        sync_folder_of(to).map_err(io)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.kept {
            // Nothing is left to tell: the failure that led here is.
            let _ = fs::remove_file(&self.path);
        }
    }
}
