//! Whether the sockets of `[[door]]` can be where their tables say, and who could put another in their place.

use super::Finding;
use keystead_server::configuration::Door;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::Path;
use tokio::net::UnixStream;

const CHECK: &str = "door";
/// Others may make files.
const OPEN: u32 = 0o002;

/// Looks at them; nothing is sent.
pub(super) async fn examine(doors: &[Door]) -> Vec<Finding> {
    let mut findings = Vec::with_capacity(doors.len());
    for door in doors {
        findings.push(finding(&door.socket).await);
    }
    findings
}

async fn finding(socket: &Path) -> Finding {
    let (path, folder) = (socket.display(), socket.parent().unwrap_or(Path::new("/")));
    let mode = match fs::metadata(folder) {
        Ok(found) => found.permissions().mode(),
        Err(error) => {
            return Finding::failed(
                CHECK,
                format!("{path}: its folder cannot be looked at: {error}."),
                "Make it, open to the proxy's group: docs/GUARD.md says how.",
            );
        }
    };
    if mode & OPEN != 0 {
        return Finding::warning(
            CHECK,
            format!(
                "{path}: everybody can put a socket there before the server does, and get clients' keys."
            ),
            "Choose a folder of its own, in which the server's user alone can make files: docs/GUARD.md says how.",
        );
    }
    match fs::symlink_metadata(socket) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            Finding::ok(CHECK, format!("{path}: the server makes it when it starts."))
        }
        Err(error) => {
            let fix = "Run this as a user who may look at the socket.";
            Finding::warning(CHECK, format!("{path}: it cannot be looked at: {error}."), fix)
        }
        Ok(found) if !found.file_type().is_socket() => Finding::failed(
            CHECK,
            format!("{path}: there is something else."),
            "Choose another path as socket of the door, or remove what is there.",
        ),
        Ok(found) => {
            let listens = match UnixStream::connect(socket).await {
                Ok(_) => "a server listens",
                Err(error) if error.kind() == ErrorKind::ConnectionRefused => "no server listens now",
                Err(_) => "who runs this cannot connect",
            };
            let group = found.gid();
            Finding::ok(CHECK, format!("{path}: {listens}; proxies must be in the group {group}."))
        }
    }
}
