//! A small disk of one's own: a file system in memory, mounted where an installation lives.

use anyhow::{Context, Result, bail, ensure};
use std::fs::File;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What takes the room.
const FILLER: &str = "filler";

/// Whether this machine lets this program mount disks.
///
/// # Errors
/// When it does not; the error says what to do.
pub(super) fn can_be_mounted() -> Result<()> {
    let folder = tempfile::tempdir()?;
    drop(Disk::mount(folder.path())?);
    Ok(())
}

/// A mounted file system; dropping it unmounts it.
pub(super) struct Disk(PathBuf);

impl Disk {
    /// Mounts one of 16 MiB.
    ///
    /// # Errors
    /// Without root's rights: what is tried here must not seem tried.
    pub(super) fn mount(at: &Path) -> Result<Self> {
        if at.metadata()?.uid() != 0 {
            bail!("Disks are mounted by root only: run this as root");
        }
        mount(&["-t", "tmpfs", "-o", "size=16m,mode=0700", "tmpfs"], at)
            .context("This machine lets not even root mount a disk")?;
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

/// A mounted ext4 on a file, which can be made to fail as a disk with errors does; dropping it unmounts it.
pub(super) struct FailingDisk {
    image: PathBuf,
    at: PathBuf,
}

impl FailingDisk {
    /// Makes and mounts one of 32 MiB; `None` where this machine cannot.
    ///
    /// # Errors
    /// When the file for it cannot be written.
    pub(super) fn mount(image: &Path, at: &Path) -> Result<Option<Self>> {
        File::create(image)?.set_len(32 << 20)?;
        let made = Command::new("mkfs.ext4").args(["-q", "-F"]).arg(image).status();
        let disk = Self { image: image.to_owned(), at: at.to_owned() };
        if !made.is_ok_and(|status| status.success()) || disk.attach().is_err() {
            std::fs::remove_file(image)?;
            return Ok(None);
        }
        Ok(Some(disk))
    }

    /// From now on nothing can be written, as after an error of the disk.
    pub(super) fn fail(&self) -> Result<()> {
        mount(&["-o", "remount,abort"], &self.at)
    }

    /// Unmounts it and mounts it again, well.
    pub(super) fn repair(&self) -> Result<()> {
        let status = Command::new("umount").arg(&self.at).status().context("cannot start umount")?;
        ensure!(status.success(), "{} cannot be unmounted", self.at.display());
        // 0: nothing to repair; 1: repaired.
        let checked = Command::new("fsck.ext4").arg("-fy").arg(&self.image).output();
        let code = checked.context("cannot start fsck.ext4")?.status.code();
        ensure!(matches!(code, Some(0 | 1)), "fsck.ext4 ended with {code:?}");
        self.attach()
    }

    fn attach(&self) -> Result<()> {
        mount(&["-o", "loop", &self.image.display().to_string()], &self.at)
    }
}

impl Drop for FailingDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.at).status();
    }
}

fn mount(arguments: &[&str], at: &Path) -> Result<()> {
    let output = Command::new("mount").args(arguments).arg(at).output().context("cannot start mount")?;
    if !output.status.success() {
        bail!("cannot mount at {}: {}", at.display(), String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}
