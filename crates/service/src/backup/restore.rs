//! Restoring a backup into an empty place: all of it, opened by the root key that it needs, or
//! nothing.

use super::{BackupFailed, Keys};
use crate::open::open_pepper;
use keystead_domain::seal::RootKey;
use keystead_store::Database;
use keystead_store::backup::{Restored, Restoring};
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

/// Bytes that are read at once.
const BUFFER_BYTES: usize = 1 << 20;

/// What is restored, and where.
#[derive(Debug)]
pub struct RestoreRequest<'a> {
    /// An empty place.
    pub database: &'a Database,
    /// The backup.
    pub from: &'a Path,
    /// What opens it.
    pub keys: &'a Keys,
    /// The installation's root key, which is not in the backup.
    pub root: &'a RootKey,
}

/// Restores a backup. Nobody sees any of it before all of it is there, its rows fit each other, and
/// the root key has opened what it sealed.
///
/// # Errors
/// When the place is not empty, the backup does not open or is not whole, or the root key is
/// another; nothing is restored then.
pub async fn restore(request: &RestoreRequest<'_>) -> Result<Restored, BackupFailed> {
    let file = File::open(request.from).map_err(|error| BackupFailed::file(request.from, error))?;
    let opened = request.keys.decrypt(BufReader::with_capacity(BUFFER_BYTES, file));
    let opened = opened.map_err(BackupFailed::Locked)?;
    let mut lines = BufReader::with_capacity(BUFFER_BYTES, opened);
    let mut restoring = Restoring::begin(request.database, &mut lines).await?;
    // LESSONS 38: a restored database that cannot be decrypted is none.
    let peppers = restoring.conn().peppers().await.map_err(keystead_store::backup::BackupError::from)?;
    for pepper in &peppers {
        open_pepper(request.root, pepper)?;
    }
    Ok(restoring.finish().await?)
}
