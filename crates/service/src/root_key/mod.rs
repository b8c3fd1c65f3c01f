//! Root keys: where they come from, and how one takes the place of another.

mod file;
mod passphrase;
mod reseal;
mod rotate;
mod source;
mod started;
mod words;

#[cfg(test)]
mod exchange_tests;
#[cfg(test)]
pub(crate) mod tests;

pub use passphrase::Stretch;
pub(crate) use reseal::labels;
pub(crate) use rotate::{RootKeyring, STRETCH};
pub use source::RootKeySource;

use keystead_domain::seal::{RootKeyId, RootKeys};
use std::io;
use std::path::PathBuf;

/// Why the root key cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum RootKeyError {
    /// The file does not exist, but the database does: making another would lock everything.
    #[error(
        "the root key file {0} is missing, but the database was sealed with it; put it back from where you keep it"
    )]
    Missing(PathBuf),
    /// Others than its owner may read it.
    #[error("the root key file {path} may be read by others (mode {mode:o}); run: chmod 600 {path}")]
    Exposed {
        /// Which file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It is not what was written there.
    #[error("the root key file {0} does not hold 32 bytes in base64; put it back from where you keep it")]
    Damaged(PathBuf),
    /// The file system refused.
    #[error("the root key file {path}: {error}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// What it said.
        error: io::Error,
    },
    /// The environment, the command or the passphrase gives none.
    #[error("the root key from {from}: {why}")]
    Source {
        /// Where it was to come from.
        from: &'static str,
        /// What was wrong, without a word of the key.
        why: String,
    },
    /// Values in the database were sealed by keys that are not at hand.
    #[error(
        "the database was sealed with the root key {needed}, and the configured source holds {have}; give it that one too"
    )]
    Another {
        /// Which are needed.
        needed: String,
        /// Which are there.
        have: String,
    },
}

/// Refuses when a value is sealed by a key that is not at hand: it could never be opened again.
///
/// # Errors
/// [`RootKeyError::Another`], naming the keys.
pub fn check(keys: &RootKeys, labels: &[(Vec<u8>, i64)]) -> Result<(), RootKeyError> {
    let mut missing: Vec<String> = Vec::new();
    for (label, _) in labels {
        match RootKeyId::of(label) {
            Some(id) if keys.iter().any(|key| key.id() == id) => {}
            Some(id) => missing.push(id.to_string()),
            None => missing.push("of an unknown form".into()),
        }
    }
    missing.sort_unstable();
    missing.dedup();
    if missing.is_empty() {
        return Ok(());
    }
    Err(RootKeyError::Another { needed: missing.join(", "), have: keys.to_string() })
}
