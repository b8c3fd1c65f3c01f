//! A file to which checkpoints of the audit are added, best on a disk that whoever has the database does not have.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The file of `audit.checkpoint_file`.
pub(super) struct CheckpointFile(PathBuf);

impl CheckpointFile {
    pub(super) fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// Adds a note. A disk that hangs holds up this alone.
    pub(super) async fn take(&self, note: Arc<str>) -> bool {
        let path = self.0.clone();
        let added = tokio::task::spawn_blocking(move || add(&path, &note)).await;
        match added {
            Ok(Ok(())) => true,
            Ok(Err(error)) => {
                tracing::warn!(%error, "a checkpoint could not be added to its file; it is tried again");
                false
            }
            Err(error) => {
                tracing::warn!(%error, "a checkpoint was not added to its file");
                false
            }
        }
    }
}

/// The line end in front separates it from the note before, also where that was cut off by a crash.
fn add(path: &Path, note: &str) -> std::io::Result<()> {
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path)?;
    let whole = file.metadata()?.len();
    let added = file.write_all(format!("\n{note}").as_bytes()).and_then(|()| file.sync_data());
    if added.is_err() {
        // Half a note, of a disk that is full, would stand before the next one for ever.
        let _ = file.set_len(whole);
    }
    added
}

#[cfg(test)]
mod tests {
    use super::*;
    use keystead_service::audit_verify::Kept;

    #[test]
    fn notes_are_added_apart_also_after_one_that_was_cut_off() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notes");
        let note = "keystead/a\n1\nAA==\n\n— keystead/a c2ln\n";
        std::fs::write(&path, format!("{note}\nkeystead/a\n12")).unwrap();
        add(&path, note).unwrap();
        add(&path, note).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text, format!("{note}\nkeystead/a\n12\n{note}\n{note}"));
        Kept::default().add_notes("notes", &text).unwrap();
    }

    /// A device that takes nothing: as a full disk.
    #[tokio::test]
    async fn what_cannot_be_added_is_said() {
        let note: Arc<str> = "keystead/a\n1\nAA==\n\n— keystead/a c2ln\n".into();
        assert!(!CheckpointFile::new("/dev/full".into()).take(note).await);
    }
}
