//! Names in a folder, made durable.

use std::fs::File;
use std::io;
use std::path::Path;

/// Syncs the folder that a path is in: what bears a name there still does after a loss of power.
///
/// # Errors
/// When the file system refuses.
pub fn sync_folder_of(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new("."))).and_then(|folder| folder.sync_all())
}
