//! Restoring a backup into an empty place: all of it, with what was logged since, opened by the root
//! key that it needs, or nothing.

use super::{BackupFailed, Keys};
use crate::after_backup;
use crate::entropy::Entropy;
use crate::open::open_pepper;
use crate::root_key::{RootKeySource, STRETCH, check, labels};
use keystead_domain::seal::RootKeys;
use keystead_store::backup::{BackupError, Restored, Restoring, Survey};
use keystead_store::{Conn, Database};
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

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
    /// Where the installation's root key comes from; it is not in the backup.
    pub root_key: &'a RootKeySource,
    /// The logs that were kept beside the database since.
    pub logs: &'a [PathBuf],
}

/// What to do about what the logs do not cover.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Restore nothing.
    Stop,
    /// Restore; credits that remained are gone, since nobody knows how many were spent.
    WithoutCredits,
    /// Restore, with credits as far as they are known.
    WithCredits,
}

/// What was restored, and what was put over it.
#[derive(Debug)]
pub struct RestoreReport {
    /// The backup.
    pub restored: Restored,
    /// What the logs covered.
    pub survey: Survey,
    /// Rows that the logs changed.
    pub replayed: u64,
}

/// Restores a backup. Nobody sees any of it before all of it is there, its rows fit each other, and
/// the root key has opened what it sealed. `decide` is asked what to do about what the logs do not
/// tell: at the least whether anything came after their ends.
///
/// # Errors
/// When the place is not empty, the backup or a log does not open or is not whole, the root key is
/// another, or `decide` says so; nothing is restored then.
pub async fn restore(
    request: &RestoreRequest<'_>,
    entropy: &Entropy,
    decide: impl FnOnce(&Survey) -> Decision,
) -> Result<RestoreReport, BackupFailed> {
    let file = File::open(request.from).map_err(|error| BackupFailed::file(request.from, error))?;
    let opened = request.keys.decrypt(BufReader::with_capacity(BUFFER_BYTES, file));
    let opened = opened.map_err(BackupFailed::Locked)?;
    let mut lines = BufReader::with_capacity(BUFFER_BYTES, opened);
    let mut restoring = Restoring::begin(request.database, &mut lines).await?;
    let keys = prove_root_key(restoring.conn(), request.root_key).await?;
    let survey = restoring.survey(request.logs, &keys).await?;
    let decision = decide(&survey);
    if decision == Decision::Stop {
        return Err(BackupFailed::Gap);
    }
    let replayed = restoring.replay(&survey, &keys).await?;
    let sealed = labels(restoring.conn()).await.map_err(BackupError::from)?;
    check(&keys, &sealed)?;
    if decision == Decision::WithoutCredits {
        restoring.take_credits().await?;
    }
    let restored = restoring.finish(entropy.with(after_backup::epoch)).await?;
    Ok(RestoreReport { restored, survey, replayed })
}

/// Opens every pepper: a restored database that cannot be decrypted is none (LESSONS 38).
async fn prove_root_key(conn: &mut Conn, source: &RootKeySource) -> Result<RootKeys, BackupFailed> {
    let stretch = conn.installation_value(STRETCH).await.map_err(BackupError::from)?;
    let stretch = stretch.filter(|_| source.needs_stretch()).map(|text| text.parse()).transpose()?;
    let keys = source.load(stretch.as_ref()).await?;
    check(&keys, &labels(conn).await.map_err(BackupError::from)?)?;
    let peppers = conn.peppers().await.map_err(BackupError::from)?;
    if peppers.is_empty() {
        // Whoever knows the recipient can write a backup; without a pepper nothing of it would be proved.
        return Err(BackupError::Damaged("it holds no installation").into());
    }
    for pepper in peppers {
        open_pepper(&keys, &pepper)?;
    }
    Ok(keys)
}
