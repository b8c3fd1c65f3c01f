//! A small disk of one's own: a file system in memory, mounted where an installation lives.

use anyhow::{Context, Result, bail};
use std::fs::File;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What takes the room.
const FILLER: &str = "filler";

/// A mounted file system; dropping it unmounts it.
pub(super) struct Disk(PathBuf);

impl Disk {
    /// Mounts one of 16 MiB.
    ///
    /// # Errors
    /// Without root's rights: what is tried here must not seem tried.
    pub(super) fn mount(at: &Path) -> Result<Self> {
        if at.metadata()?.uid() != 0 {
            bail!("a small disk is mounted by root only: run this as root");
        }
        mount(&["-t", "tmpfs", "-o", "size=16m,mode=0700", "tmpfs"], at)?;
        Ok(Self(at.to_owned()))
    }

    /// Writes until nothing more can be written.
    pub(super) fn fill(&self) -> Result<()> {
        let mut filler = File::create(self.0.join(FILLER))?;
        for block in [[0_u8; 65_536].as_slice(), [0; 512].as_slice(), [0; 1].as_slice()] {
            loop {
                match filler.write_all(block) {
                    Ok(()) => {}
                    Err(error) if error.kind() == ErrorKind::StorageFull => break,
                    Err(error) => return Err(error).context("the disk cannot be filled"),
                }
            }
        }
        Ok(())
    }

    /// Makes room again.
    pub(super) fn empty(&self) -> Result<()> {
        Ok(std::fs::remove_file(self.0.join(FILLER))?)
    }

    /// Lets nothing be written, or everything again.
    pub(super) fn read_only(&self, read_only: bool) -> Result<()> {
        mount(&["-o", if read_only { "remount,ro" } else { "remount,rw" }], &self.0)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // A mount that stays behind is seen by whoever removes the folder.
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

fn mount(arguments: &[&str], at: &Path) -> Result<()> {
    let output = Command::new("mount").args(arguments).arg(at).output().context("cannot start mount")?;
    if !output.status.success() {
        bail!("cannot mount at {}: {}", at.display(), String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}
