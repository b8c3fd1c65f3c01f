//! A file of new keys: their only copy, so it is never written over, and on the disk before more are made.

use crate::exit::Failure;
use keystead_sdk::api::RotatedKey;
use serde_json::json;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// One JSON object a line.
#[derive(Debug)]
pub(super) struct NewKeys {
    file: File,
    path: PathBuf,
    written: usize,
}

impl NewKeys {
    /// A file that was not there, and that only its owner can read.
    pub(super) fn create(path: &Path) -> Result<Self, Failure> {
        let file =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(|error| {
                Failure::local(
                    format!("{} could not be created: {error}.", path.display()),
                    "Name a file that does not exist, in a folder that you may write to.",
                )
            })?;
        Ok(Self { file, path: path.to_owned(), written: 0 })
    }

    /// Writes keys that were just made, and waits until they are on the disk.
    pub(super) fn store(&mut self, rotated: &[RotatedKey]) -> Result<(), Failure> {
        let mut lines = String::new();
        for new in rotated {
            let key = &new.created.details;
            let line =
                json!({"id": key.id, "replaces": new.replaces, "name": key.name, "key": new.created.key});
            lines.push_str(&format!("{line}\n"));
        }
        let written = self.file.write_all(lines.as_bytes()).and_then(|()| self.file.sync_data());
        written.map_err(|error| {
            let ids: Vec<&str> = rotated.iter().map(|new| new.created.details.id.as_str()).collect();
            Failure::local(
                format!(
                    "{} could not be written: {error}. These keys were made and are lost: {}.",
                    self.path.display(),
                    ids.join(" ")
                ),
                "Make room, drop each with keystead keys rotate-cancel ID, and start again with another file.",
            )
        })?;
        self.written += rotated.len();
        Ok(())
    }

    /// Where the keys are, and how many; `None`, and no file stays, where there are none.
    pub(super) fn end(self) -> Option<String> {
        let (written, path) = (self.written, self.path.display());
        if written == 0 && self.file.metadata().is_ok_and(|file| file.len() == 0) {
            let _ = std::fs::remove_file(&self.path);
            return None;
        }
        Some(format!("{written} were rotated. The new keys are in {path}, and nowhere else."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn new_keys_go_into_a_new_file_of_their_owners() {
        let path = std::env::temp_dir().join(format!("keystead-new-keys-{}", std::process::id()));
        let keys = NewKeys::create(&path).unwrap();
        let mode = keys.file.metadata().unwrap().permissions().mode() & 0o777;
        // What is there is never written over: it may hold the only copy of keys.
        let again = NewKeys::create(&path);
        assert_eq!(keys.end(), None);
        assert!(!path.exists(), "without keys there is no file");
        assert_eq!(mode, 0o600);
        assert!(matches!(again, Err(Failure::Local { .. })));
    }
}
