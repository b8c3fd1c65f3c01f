//! Where entries live: shards, so that a writer stops few readers, for a short time.

use super::table::Table;
use hashbrown::DefaultHashBuilder;
use keystead_domain::entry::Entry;
use keystead_domain::ids::KeyId;
use parking_lot::RwLock;
use std::hash::BuildHasher;

const SHARDS: usize = 256;

#[derive(Debug)]
pub(super) struct Shards {
    shards: Box<[RwLock<Table<Entry>>]>,
    hasher: DefaultHashBuilder,
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
        shard.find(hash, |entry| entry.id == id).map(then)
    }

    /// The same for a key whose memory is asked for first: `meanwhile` is what can be done until it
    /// comes.
    ///
    /// # Errors
    /// What `meanwhile` made, where there is no such key.
    pub(super) fn with_while<M, T>(
        &self,
        id: KeyId,
        meanwhile: impl FnOnce() -> M,
        then: impl FnOnce(M, &Entry) -> T,
    ) -> Result<T, M> {
        let hash = self.hash(id);
        let Some(shard) = self.shard(hash) else { return Err(meanwhile()) };
        let shard = shard.read();
        shard.fetch_ahead(hash);
        let made = meanwhile();
        match shard.find(hash, |entry| entry.id == id) {
            Some(entry) => Ok(then(made, entry)),
            None => Err(made),
        }
    }

    pub(super) fn put(&self, entry: Entry) {
        self.place(entry, true);
    }

    pub(super) fn put_new(&self, entry: Entry) {
        self.place(entry, false);
    }

    /// What was removed.
    pub(super) fn remove(&self, id: KeyId) -> Option<Entry> {
        let hash = self.hash(id);
        self.shard(hash)?.write().remove(hash, |entry| entry.id == id)
    }

    pub(super) fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.read().len()).sum()
    }

    pub(super) fn reserve(&self, keys: usize) {
        // Ids are random, so shards fill evenly; a little more spares most of them a growth.
        let each = keys.div_ceil(SHARDS) + keys / SHARDS / 32;
        for shard in &self.shards {
            shard.write().reserve(each, |entry| self.hash(entry.id));
        }
    }

    pub(super) fn for_each(&self, mut visit: impl FnMut(&Entry)) {
        for shard in &self.shards {
            shard.read().iter().for_each(&mut visit);
        }
    }

    fn place(&self, entry: Entry, replace: bool) {
        let (id, hash) = (entry.id, self.hash(entry.id));
        let Some(shard) = self.shard(hash) else {
            return;
        };
        let shard = &mut *shard.write();
        if let Some(place) = shard.find_mut(hash, |entry| entry.id == id) {
            if replace {
                *place = entry;
            }
            return;
        }
        shard.insert(hash, entry, |entry| self.hash(entry.id));
    }

    fn hash(&self, id: KeyId) -> u64 {
        self.hasher.hash_one(id)
    }

    /// By bits that neither line nor tag is chosen by.
    fn shard(&self, hash: u64) -> Option<&RwLock<Table<Entry>>> {
        self.shards.get(usize::from(hash.to_be_bytes()[2]))
    }
}
