//! Where entries live: shards of an index of slots over a slab, so that growing an index moves four
//! bytes a key and never an entry, and no key pays for the index's empty buckets.

use hashbrown::{DefaultHashBuilder, HashTable};
use keystead_domain::entry::Entry;
use keystead_domain::ids::KeyId;
use parking_lot::RwLock;
use std::hash::BuildHasher;

const SHARDS: usize = 256;

#[derive(Debug)]
pub(super) struct Shards {
    shards: Box<[RwLock<Shard>]>,
    hasher: DefaultHashBuilder,
}

#[derive(Debug, Default)]
struct Shard {
    index: HashTable<u32>,
    slots: Vec<Option<Entry>>,
    free: Vec<u32>,
}

impl Shards {
    pub(super) fn new() -> Self {
        let shards = (0..SHARDS).map(|_| RwLock::default()).collect();
        Self { shards, hasher: DefaultHashBuilder::default() }
    }

    /// What `then` makes of a key, under the lock that only a writer of the same shard waits for.
    pub(super) fn with<T>(&self, id: KeyId, then: impl FnOnce(&Entry) -> T) -> Option<T> {
        let hash = self.hash(id);
        let shard = self.shard(hash)?.read();
        let slot = shard.index.find(hash, |slot| shard.holds(*slot, id))?;
        shard.entry(*slot).map(then)
    }

    pub(super) fn put(&self, entry: Entry) {
        self.place(entry, true);
    }

    pub(super) fn put_new(&self, entry: Entry) {
        self.place(entry, false);
    }

    pub(super) fn remove(&self, id: KeyId) {
        let hash = self.hash(id);
        let Some(shard) = self.shard(hash) else {
            return;
        };
        let shard = &mut *shard.write();
        let slots = &mut shard.slots;
        let found =
            shard.index.find_entry(hash, |slot| entry_at(slots, *slot).is_some_and(|entry| entry.id == id));
        if let Ok(found) = found {
            let (slot, _) = found.remove();
            if let Some(place) = slots.get_mut(slot as usize) {
                *place = None;
            }
            shard.free.push(slot);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.read().index.len()).sum()
    }

    pub(super) fn reserve(&self, keys: usize) {
        // Ids are random, so shards fill evenly; a tenth more spares most of them a growth.
        let each = keys.div_ceil(SHARDS) + keys / SHARDS / 10;
        for shard in &self.shards {
            let shard = &mut *shard.write();
            let Shard { index, slots, .. } = shard;
            slots.reserve_exact(each);
            index.reserve(each, |slot| entry_at(slots, *slot).map_or(0, |entry| self.hash(entry.id)));
        }
    }

    pub(super) fn for_each(&self, mut visit: impl FnMut(&Entry)) {
        for shard in &self.shards {
            shard.read().slots.iter().flatten().for_each(&mut visit);
        }
    }

    fn place(&self, entry: Entry, replace: bool) {
        let hash = self.hash(entry.id);
        let Some(shard) = self.shard(hash) else {
            return;
        };
        let shard = &mut *shard.write();
        if let Some(slot) = shard.index.find(hash, |slot| shard.holds(*slot, entry.id)).copied() {
            if replace && let Some(place) = shard.slots.get_mut(slot as usize) {
                *place = Some(entry);
            }
            return;
        }
        let Some(slot) = shard.take_slot(entry) else {
            return;
        };
        let slots = &shard.slots;
        shard
            .index
            .insert_unique(hash, slot, |slot| entry_at(slots, *slot).map_or(0, |entry| self.hash(entry.id)));
    }

    fn hash(&self, id: KeyId) -> u64 {
        self.hasher.hash_one(id)
    }

    /// By bits that the index does not use first.
    fn shard(&self, hash: u64) -> Option<&RwLock<Shard>> {
        self.shards.get(usize::from(hash.to_be_bytes()[2]))
    }
}

impl Shard {
    fn entry(&self, slot: u32) -> Option<&Entry> {
        entry_at(&self.slots, slot)
    }

    fn holds(&self, slot: u32, id: KeyId) -> bool {
        self.entry(slot).is_some_and(|entry| entry.id == id)
    }

    /// A slot for a new entry. The slab grows by an eighth, not by doubling: memory a key is bounded.
    fn take_slot(&mut self, entry: Entry) -> Option<u32> {
        if let Some(slot) = self.free.pop() {
            *self.slots.get_mut(slot as usize)? = Some(entry);
            return Some(slot);
        }
        if self.slots.len() == self.slots.capacity() {
            self.slots.reserve_exact(self.slots.len() / 8 + 8);
        }
        let slot = u32::try_from(self.slots.len()).ok()?;
        self.slots.push(Some(entry));
        Some(slot)
    }
}

fn entry_at(slots: &[Option<Entry>], slot: u32) -> Option<&Entry> {
    slots.get(slot as usize)?.as_ref()
}
