//! What the demo must remember because it is shown only once: two keys, readable by their owner only.

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// The demo's working key.
#[derive(Serialize, Deserialize)]
pub(crate) struct TourKey {
    pub(crate) id: String,
    pub(crate) key: String,
}

/// Where the admin key is.
pub(crate) fn admin_key_file(data: &Path) -> PathBuf {
    data.join("admin.key")
}

/// The admin key, once it is there.
pub(crate) fn admin_key(data: &Path) -> Result<Option<String>> {
    let key = read(&admin_key_file(data))?.map(|text| text.trim().to_owned());
    Ok(key.filter(|key| !key.is_empty()))
}

/// The working key, if one was kept.
pub(crate) fn tour_key(data: &Path) -> Result<Option<TourKey>> {
    // A file that cannot be understood is as good as none: the key is issued anew.
    Ok(read(&tour_file(data))?.and_then(|text| serde_json::from_str(&text).ok()))
}

/// Keeps the working key. The file is whole or not there, even when this program is stopped half way.
pub(crate) fn keep_tour_key(data: &Path, key: &TourKey) -> Result<()> {
    let path = tour_file(data);
    let part = path.with_extension("part");
    let written = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&part)
        .and_then(|mut file| file.write_all(serde_json::to_string_pretty(key)?.as_bytes()))
        .and_then(|()| fs::rename(&part, &path));
    written.with_context(|| format!("cannot write {}", path.display()))
}

fn tour_file(data: &Path) -> PathBuf {
    data.join("demo.json")
}

fn read(path: &Path) -> Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}
