//! What the demo must remember because it is shown only once: keys and passwords, each in a file that its owner
//! alone can read.

use anyhow::{Context, Result};
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// The server's administrator's key.
pub const ADMIN: &str = "admin.key";
/// A working key of the registry's production.
pub const FIRST_STEPS: &str = "first-steps.key";
/// Asks for verdicts on keys of the registry's production: for `examples/registry`.
pub const GUARD: &str = "guard.key";

/// The file in which a person's own key is.
#[must_use]
pub fn key_of(person: &str) -> String {
    format!("{person}.key")
}

/// The file in which a person's password is.
#[must_use]
pub fn password_of(person: &str) -> String {
    format!("{person}.password")
}

/// What is in one of these files, if there is something.
///
/// # Errors
/// When it cannot be read.
pub fn recall(data: &Path, name: &str) -> Result<Option<String>> {
    let path = data.join(name);
    match fs::read_to_string(&path) {
        Ok(text) => Ok(Some(text.trim().to_owned()).filter(|text| !text.is_empty())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

/// Keeps a secret. The file is whole or not there, even when this program is stopped half way.
pub(crate) fn keep(data: &Path, name: &str, secret: &str) -> Result<()> {
    let path = data.join(name);
    let part = PathBuf::from(format!("{}.part", path.display()));
    let written = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&part)
        .and_then(|mut file| writeln!(file, "{secret}"))
        .and_then(|()| fs::rename(&part, &path));
    written.with_context(|| format!("cannot write {}", path.display()))
}
