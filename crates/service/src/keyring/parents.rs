//! Keys that others were minted from: one cell each, which its children hold.

use hashbrown::HashMap;
use keystead_domain::entry::Entry;
use keystead_domain::ids::KeyId;
use keystead_domain::special::ParentCell;
use parking_lot::RwLock;
use std::sync::Arc;

/// The cells, by their key. In none of these methods is a lock of a shard held before this one.
#[derive(Debug, Default)]
pub(super) struct Parents(RwLock<HashMap<KeyId, Arc<ParentCell>>>);

impl Parents {
    /// The cell of a key, made when it is asked for first. `look` finds the key as it is now; it is
    /// asked under the lock, so that a change that comes at the same time is not overwritten.
    pub(super) fn cell(&self, id: KeyId, look: impl FnOnce() -> Option<Entry>) -> Arc<ParentCell> {
        if let Some(cell) = self.0.read().get(&id) {
            return Arc::clone(cell);
        }
        let make = || Arc::new(ParentCell::new(id, look()));
        Arc::clone(self.0.write().entry(id).or_insert_with(make))
    }

    /// Says that a key was put in, changed or removed.
    pub(super) fn changed(&self, id: KeyId, look: impl FnOnce() -> Option<Entry>) {
        if !self.0.read().contains_key(&id) {
            return;
        }
        if let Some(cell) = self.0.write().get(&id) {
            cell.set(look());
        }
    }

    /// Forgets the cell of a key when nothing holds it any more.
    pub(super) fn release(&self, id: KeyId) {
        let mut cells = self.0.write();
        if cells.get(&id).is_some_and(|cell| Arc::strong_count(cell) == 1) {
            cells.remove(&id);
        }
    }

    /// How many keys here were minted from it.
    pub(super) fn children(&self, id: KeyId) -> usize {
        self.0.read().get(&id).map_or(0, |cell| Arc::strong_count(cell) - 1)
    }
}
