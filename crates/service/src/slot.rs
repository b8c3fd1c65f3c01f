//! Where a node runs: a file that is locked for as long as it does, and names it. Who gets the lock knows
//! that the node whose name is in it is dead, however it died.

use keystead_domain::ids::NodeId;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// The longest name of a node.
const BYTES_MAX: u64 = 64;

/// A taken place.
#[derive(Debug)]
pub(crate) struct Slot {
    /// Who ran here before.
    pub(crate) predecessor: Option<NodeId>,
    #[expect(dead_code, reason = "the lock ends when this is dropped")]
    file: File,
}

impl Slot {
    /// Takes the place for this node. `None` when another process has it, or it cannot be written: then
    /// nothing is known about who ran before.
    pub(crate) fn take(path: &Path, id: NodeId) -> Option<Self> {
        let file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path);
        let mut file = file.ok()?;
        file.try_lock().ok()?;
        let mut before = String::new();
        Read::by_ref(&mut file).take(BYTES_MAX).read_to_string(&mut before).ok()?;
        file.rewind().and_then(|()| file.set_len(0)).and_then(|()| write!(file, "{id}")).ok()?;
        file.sync_all().ok()?;
        Some(Self { predecessor: before.trim().parse().ok(), file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_gets_the_place_knows_who_had_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("node");
        let (first, second) = (NodeId([1; 16]), NodeId([2; 16]));
        let taken = Slot::take(&path, first).unwrap();
        assert_eq!(taken.predecessor, None);
        assert!(Slot::take(&path, second).is_none(), "it is taken");
        drop(taken);
        assert_eq!(Slot::take(&path, second).unwrap().predecessor, Some(first));
        std::fs::write(&path, "nonsense").unwrap();
        assert_eq!(Slot::take(&path, first).unwrap().predecessor, None);
    }
}
