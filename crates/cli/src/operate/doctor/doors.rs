//! Whether the sockets of `[[door]]` can be where their tables say, and who could put another in their place.

use super::Finding;
use keystead_server::configuration::Door;
use std::fs;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::Path;

const CHECK: &str = "door";
/// Others may write, and take away what is not theirs.
const OPEN: u32 = 0o002;
const STICKY: u32 = 0o1000;

/// Looks at them; nothing is sent.
pub(super) fn examine(doors: &[Door]) -> Vec<Finding> {
    doors.iter().map(|door| finding(&door.socket)).collect()
}

fn finding(socket: &Path) -> Finding {
    let (path, folder) = (socket.display(), socket.parent().unwrap_or(Path::new("/")));
    let make = format!("install -d -o USER -g GROUP -m 2750 {}", folder.display());
    let Ok(found) = fs::metadata(folder) else {
        return Finding::failed(CHECK, format!("{path}: its folder is not there."), make);
    };
    if found.permissions().mode() & (OPEN | STICKY) == OPEN {
        return Finding::warning(
            CHECK,
            format!("{path}: everybody can put another socket in its place, and get the clients' keys."),
            format!("chmod o-w {}", folder.display()),
        );
    }
    match fs::symlink_metadata(socket) {
        Err(_) => Finding::ok(CHECK, format!("{path}: the server makes it when it starts.")),
        Ok(found) if !found.file_type().is_socket() => Finding::failed(
            CHECK,
            format!("{path}: there is something else."),
            "Choose another path as socket of the door, or remove what is there.",
        ),
        Ok(_) if UnixStream::connect(socket).is_ok() => {
            Finding::ok(CHECK, format!("{path}: a server listens."))
        }
        Ok(_) => Finding::ok(CHECK, format!("{path}: no server listens now.")),
    }
}
