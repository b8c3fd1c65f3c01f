//! Passwords that others lost: looked up in a local list, so that none is told to anybody.

use crate::Keystead;
use crate::refused::Refused;
use keystead_domain::invalid::Invalid;
use keystead_domain::sign_in::breached::{self, Listed};
use keystead_domain::sign_in::password::Password;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// Looks whether a list is one, at its first entries; an empty file is none.
///
/// # Errors
/// Says what is wrong with the file.
pub fn check_breached_passwords(path: &Path) -> io::Result<()> {
    look(path, &[0; breached::DIGEST_LEN]).map(|_| ())
}

fn look(path: &Path, digest: &[u8; breached::DIGEST_LEN]) -> io::Result<bool> {
    let file = File::open(path)?;
    let mut read = |offset: u64, buffer: &mut [u8]| file.read_exact_at(buffer, offset);
    breached::find(file.metadata()?.len(), digest, &mut read).and_then(|found| match found {
        Listed::Yes => Ok(true),
        Listed::No => Ok(false),
        Listed::NoList => Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "it is no list of SHA-1 digests in order, one 40 hex digits and ':' a line",
        )),
    })
}

impl Keystead {
    /// Refuses a password that is on the installation's list, where it has one. A list that cannot be read
    /// refuses too: an attacker who can make it unreadable gains nothing.
    pub(super) async fn refuse_breached(&self, field: &str, password: &Password) -> Result<(), Refused> {
        let Some(path) = self.sign_in.settings.breached_passwords.clone() else { return Ok(()) };
        let digest = password.breach_digest();
        let looked = tokio::task::spawn_blocking(move || (look(&path, &digest), path)).await;
        let (listed, path): (io::Result<bool>, PathBuf) = looked.map_err(|_| {
            Refused::Internal("the list of breached passwords was not read to its end".into())
        })?;
        let listed = listed.map_err(|error| {
            Refused::Internal(format!("the list of breached passwords, {}: {error}", path.display()))
        })?;
        if listed {
            return Err(Invalid::new(
                field,
                "This password was found in a breach: it is among the first that are tried.",
                "Choose one that you use nowhere else, such as a few words that do not belong together.",
            )
            .into());
        }
        Ok(())
    }
}
