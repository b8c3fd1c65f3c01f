//! `[[door]]`: sockets at which proxies on this machine ask. Whoever can open one needs no key. One table each, in the
//! file only.

use super::mistake::Mistake;
use super::table::{Kind, Table, Text, Whose};
use serde_json::{Map, Value};
use std::path::PathBuf;
use toml::de::DeTable;

/// Most sockets of one server.
pub const DOORS_MAX: usize = 64;
/// Bytes of the longest path that a socket can have (`sun_path`, unix(7)), without the zero that ends it.
const PATH_BYTES_MAX: usize = 107;

/// A socket at which proxies ask about one environment's keys.
#[derive(Debug, Clone)]
pub struct Door {
    /// Where it is.
    pub socket: PathBuf,
    /// Whose keys are asked.
    pub whose: Whose,
    /// The file and line.
    pub(super) place: String,
    /// What is in force, for `config show`.
    pub(super) shown: Map<String, Value>,
}

const KIND: Kind = Kind {
    name: "door",
    names: &["socket", "organization", "project", "environment"],
    needs: "Add it: a door needs socket, project and environment.",
    reference: "docs/GUARD.md",
};

/// Reads one table; `None` when something in it is wrong.
pub(super) fn read(
    file: Text<'_>,
    line: usize,
    table: &DeTable<'_>,
    mistakes: &mut Vec<Mistake>,
) -> Option<Door> {
    let mut table = Table::new(&KIND, file, line, table, mistakes);
    let socket = table.required("socket").map(PathBuf::from);
    if let Some(path) = &socket
        && !(path.is_absolute() && path.file_name().is_some() && path.as_os_str().len() <= PATH_BYTES_MAX)
    {
        let fix = format!("Write it like \"/run/keystead/shop.sock\", at most {PATH_BYTES_MAX} bytes.");
        table.mistake("socket", "this is no absolute path of a socket.", &fix);
    }
    let whose = table.whose();
    let (place, shown) = table.end()?;
    Some(Door { socket: socket?, whose: whose?, place, shown })
}

/// What no single table can tell.
pub(super) fn check(doors: &[Door], mistakes: &mut Vec<Mistake>) {
    if let Some(beyond) = doors.get(DOORS_MAX) {
        let fix = format!("Keep {DOORS_MAX}; start further servers for more.");
        mistakes.push(Mistake::new(&beyond.place, format!("these are {} doors.", doors.len()), fix));
    }
    for (at, door) in doors.iter().enumerate() {
        if doors.iter().take(at).any(|other| other.socket == door.socket) {
            let fix = "Give each `door.socket` a path of its own.";
            mistakes.push(Mistake::new(&door.place, "another door of this server is there already.", fix));
        }
    }
}
