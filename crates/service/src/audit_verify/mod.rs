//! Verifying an audit offline: of a database, a backup or an export, against the checkpoints in it and those
//! that were kept elsewhere. It needs no root key, no server and no right but to read.

mod export;
mod notes;
mod rows;

pub use notes::{Kept, NotesError};

use crate::backup::{BackupFailed, Keys};
use keystead_domain::audit::check::{Check, Entry, Fault, Found, Held};
use keystead_domain::audit::checkpoint::{Checkpoint, InvalidNote, Verifier};
use keystead_store::backup::Restoring;
use keystead_store::{Database, OpenError, StoreError};
use std::io::BufReader;
use std::path::Path;

/// The first schema that has the tree.
const WITH_TREE: i64 = 10;

/// Where an audit is read.
#[derive(Debug)]
pub enum Source<'a> {
    /// A database, beside a server that may run on it.
    Database(&'a Database),
    /// A backup, and what opens it.
    Backup(&'a Path, &'a Keys),
    /// A file that `keystead audit export` wrote.
    Export(&'a Path),
}

/// An organization whose audit fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Its id.
    pub organization: String,
    /// What was found.
    pub found: Found,
    /// What its checkpoints were verified with.
    pub verifier: String,
    /// Whether that was given, and not only found beside what it verifies.
    pub pinned: bool,
}

/// Why an audit is not verified.
#[derive(Debug, thiserror::Error)]
pub enum VerifyFailed {
    /// It was tampered with.
    #[error("The audit of {organization} was tampered with: {fault}.")]
    Tampered {
        /// Whose audit.
        organization: String,
        /// What does not fit first.
        fault: Fault,
    },
    /// A checkpoint is not what it should be.
    #[error(
        "The audit of {organization} was tampered with: a checkpoint from {from} does not hold: {error}."
    )]
    Checkpoint {
        /// Whose audit.
        organization: String,
        /// Where it was found.
        from: String,
        /// Why not.
        error: InvalidNote,
    },
    /// The key that verifies is another than the one that was given.
    #[error("The audit of {organization} was tampered with: its checkpoints are signed with another key.")]
    OtherKey {
        /// Whose audit.
        organization: String,
    },
    /// There is none.
    #[error(
        "The audit was tampered with: there is none, though each begins with the installation's creation."
    )]
    Gone,
    /// Of one organization there is none.
    #[error("The audit of {0} was tampered with: its tree is gone.")]
    TreeGone(String),
    /// The trees are not what trees look like.
    #[error("The audit was tampered with, or the database is damaged: its trees cannot be read.")]
    Unreadable,
    /// What was kept elsewhere is not of the organization that an export names.
    #[error(
        "The export is of {organization}, and what was kept elsewhere (from {from}) of {kept}: it was forged, or is \
         another."
    )]
    Another {
        /// What the export names.
        organization: String,
        /// Of what something was kept.
        kept: String,
        /// Where that was found.
        from: String,
    },
    /// There is no tree to verify.
    #[error("It was written before the audit was a tree (schema {0}); there is nothing to verify yet.")]
    TooOld(i64),
    /// A line of an export cannot be read.
    #[error("Line {line} of the export cannot be read: {what}.")]
    Line {
        /// Which one, from 1.
        line: u64,
        /// Why not.
        what: String,
    },
    /// The file cannot be read.
    #[error("{0} could not be read: {1}.")]
    File(String, std::io::Error),
    /// The database cannot be opened.
    #[error("{0}.")]
    Open(#[from] OpenError),
    /// The database cannot be read.
    #[error("The database could not be read: {0}.")]
    Store(#[from] StoreError),
    /// The backup cannot be read.
    #[error("{0}.")]
    Backup(#[from] BackupFailed),
}

impl VerifyFailed {
    /// Whether it shows tampering, and is not only in the way.
    #[must_use]
    pub const fn is_tampering(&self) -> bool {
        match self {
            Self::Tampered { .. }
            | Self::Checkpoint { .. }
            | Self::OtherKey { .. }
            | Self::Gone
            | Self::TreeGone(_)
            | Self::Unreadable
            | Self::Another { .. } => true,
            Self::TooOld(_)
            | Self::Line { .. }
            | Self::File(..)
            | Self::Open(_)
            | Self::Store(_)
            | Self::Backup(_) => false,
        }
    }
}

/// Verifies every organization's audit of a source; it ends at the first that does not fit.
///
/// # Errors
/// With the first record that does not fit, or why nothing can be said.
pub async fn verify(source: Source<'_>, kept: &Kept) -> Result<Vec<Verified>, VerifyFailed> {
    match source {
        Source::Export(path) => export::verify(path, kept),
        Source::Database(database) => {
            let schema = keystead_store::inspect(database).await?.schema.unwrap_or_default();
            if schema < WITH_TREE {
                return Err(VerifyFailed::TooOld(schema));
            }
            let mut reader = keystead_store::read_beside(database).await?;
            rows::verify(&mut reader, kept).await
        }
        Source::Backup(path, keys) => {
            let file = std::fs::File::open(path)
                .map_err(|error| VerifyFailed::File(path.display().to_string(), error))?;
            let opened = keys.decrypt(BufReader::new(file)).map_err(BackupFailed::Locked)?;
            let folder = tempfile::tempdir()
                .map_err(|error| VerifyFailed::File("a folder for temporary files".into(), error))?;
            let draft = Database::Sqlite(folder.path().join("draft.db"));
            let mut lines = BufReader::new(opened);
            // Never finished: nothing of it stands.
            let mut draft = Restoring::begin(&draft, &mut lines).await.map_err(BackupFailed::from)?;
            let schema = draft.header().schema;
            if schema < WITH_TREE {
                return Err(VerifyFailed::TooOld(schema));
            }
            rows::verify(draft.conn(), kept).await
        }
    }
}

/// An organization's check, from its beginning to its end.
struct Organization {
    id: String,
    verifier: Verifier,
    pinned: bool,
    check: Check,
}

impl Organization {
    /// Begins with the checkpoints that were found beside its records, by their notes, and with what else is
    /// known of its tree.
    fn begin(
        id: String,
        found: &Verifier,
        notes: &[String],
        tree: Option<Held>,
        kept: &Kept,
    ) -> Result<Self, VerifyFailed> {
        let given = kept.verifier(found.name());
        if given.is_some_and(|given| given != found) {
            return Err(VerifyFailed::OtherKey { organization: id });
        }
        let mut held: Vec<Held> = tree.into_iter().collect();
        let beside = notes.iter().map(|note| (note.as_str(), "the source itself"));
        for (note, from) in beside.chain(kept.notes(found.name())) {
            let checkpoint = Checkpoint::open(note, found).map_err(|error| VerifyFailed::Checkpoint {
                organization: id.clone(),
                from: from.to_owned(),
                error,
            })?;
            held.push(Held { checkpoint, from: from.to_owned(), signed: true });
        }
        Ok(Self { id, verifier: found.clone(), pinned: given.is_some(), check: Check::new(held) })
    }

    fn add(&mut self, entry: &Entry) -> Result<(), VerifyFailed> {
        self.check.add(entry).map_err(|fault| tampered(&self.id, fault))
    }

    /// The next one cannot be read.
    fn unreadable(&self) -> VerifyFailed {
        tampered(&self.id, self.check.unreadable())
    }

    fn end(self) -> Result<Verified, VerifyFailed> {
        let found = self.check.end().map_err(|fault| tampered(&self.id, fault))?;
        let verifier = self.verifier.to_string();
        Ok(Verified { organization: self.id, found, verifier, pinned: self.pinned })
    }
}

fn tampered(organization: &str, fault: Fault) -> VerifyFailed {
    VerifyFailed::Tampered { organization: organization.to_owned(), fault }
}
