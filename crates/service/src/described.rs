//! What verdicts tell of keys beside the verdict: made once for all keys of which the same is told, and told until
//! something of it changes. Making it walks the catalogue and costs more than deciding; made for each key it would be in
//! no cache of the processor.

use crate::guard::IdentityHeaders;
use crate::keyring::Directory;
use crate::present;
use hashbrown::{DefaultHashBuilder, HashMap};
use keystead_api::{ConsumerRef, KeyKind, NarrowedPermission, OwnerRef};
use keystead_domain::cells::{Place, Principal};
use keystead_domain::digest::of_text;
use keystead_domain::effective::held_permissions;
use keystead_domain::entry::Entry;
use keystead_domain::policy::Policy;
use parking_lot::RwLock;
use std::hash::BuildHasher;
use std::sync::{Arc, OnceLock, Weak};

const SHARDS: usize = 64;
/// So many are kept on a node.
const KEPT_MAX: usize = 65_536;
/// Their texts, in bytes.
const BYTES_MAX: usize = 64 << 20;

/// What is told of a key.
#[derive(Debug)]
pub(crate) struct Described {
    of: Of,
    pub(crate) project: Arc<str>,
    pub(crate) environment: Arc<str>,
    pub(crate) owner: Arc<OwnerRef>,
    pub(crate) consumer: Option<Arc<ConsumerRef>>,
    pub(crate) permissions: Arc<[String]>,
    pub(crate) narrowed_permissions: Arc<[NarrowedPermission]>,
    /// What upstreams get of it, once it was asked for.
    pub(crate) headers: OnceLock<IdentityHeaders>,
    digest: OnceLock<[u8; 32]>,
}

/// What it was made of. A change of the key puts others in these places; what is behind them, changes of what keys share
/// tell of. What may be large is not kept alive, but its place stays its own.
#[derive(Debug)]
struct Of {
    changes: u64,
    kind: KeyKind,
    place: Arc<Place>,
    owner: Arc<Principal>,
    consumer: Option<Arc<Principal>>,
    policy: Weak<Policy>,
    parent: Option<Option<Weak<Entry>>>,
}

impl Of {
    fn new(entry: &Entry, changes: u64) -> Self {
        Self {
            changes,
            kind: entry.kind,
            place: Arc::clone(&entry.place),
            owner: Arc::clone(&entry.owner),
            consumer: entry.consumer.clone(),
            policy: Arc::downgrade(&entry.policy),
            parent: entry.parent().map(|parent| parent.now().as_ref().map(Arc::downgrade)),
        }
    }

    fn is_still(&self, entry: &Entry, changes: u64) -> bool {
        let parent = match (&self.parent, entry.parent()) {
            (None, None) => true,
            (Some(was), Some(is)) => match (was, is.now().as_ref()) {
                (None, None) => true,
                (Some(was), Some(is)) => std::ptr::eq(was.as_ptr(), Arc::as_ptr(is)),
                _ => false,
            },
            _ => false,
        };
        self.changes == changes
            && self.kind == entry.kind
            && std::ptr::eq(self.policy.as_ptr(), Arc::as_ptr(&entry.policy))
            && Arc::ptr_eq(&self.owner, &entry.owner)
            && is_same(self.consumer.as_ref(), entry.consumer.as_ref())
            && Arc::ptr_eq(&self.place, &entry.place)
            && parent
    }
}

fn is_same<T>(one: Option<&Arc<T>>, other: Option<&Arc<T>>) -> bool {
    match (one, other) {
        (None, None) => true,
        (Some(one), Some(other)) => Arc::ptr_eq(one, other),
        _ => false,
    }
}

impl Described {
    fn new(entry: &Entry, of: Of) -> Self {
        let (permissions, narrowed_permissions) = held_permissions(entry);
        Self {
            of,
            project: (*entry.place.project.slug).into(),
            environment: (*entry.place.slug).into(),
            owner: Arc::new(present::owner(&entry.owner)),
            consumer: entry.consumer.as_deref().map(|consumer| Arc::new(present::consumer(consumer))),
            permissions: permissions.into(),
            narrowed_permissions: narrowed_permissions.into(),
            headers: OnceLock::new(),
            digest: OnceLock::new(),
        }
    }

    /// Of all that is told: the same for another one that tells the same. `None` where it cannot be written.
    pub(crate) fn digest(&self) -> Option<[u8; 32]> {
        if let Some(digest) = self.digest.get() {
            return Some(*digest);
        }
        let Self { project, environment, owner, consumer, permissions, narrowed_permissions, .. } = self;
        let told = (project, environment, owner, consumer, permissions, narrowed_permissions);
        let digest = of_text(&serde_json::to_vec(&told).ok()?);
        Some(*self.digest.get_or_init(|| digest))
    }

    /// About what it holds of memory, with the headers that may be made of it.
    fn bytes(&self) -> usize {
        let text = |text: &String| 2 * text.len() + size_of::<String>();
        let narrowed = |one: &NarrowedPermission| {
            let resources = one.resources.iter().map(text).sum::<usize>();
            size_of::<NarrowedPermission>() + one.permission.len() + resources
        };
        1_024
            + self.permissions.iter().map(text).sum::<usize>()
            + self.narrowed_permissions.iter().map(narrowed).sum::<usize>()
    }
}

/// What is told of the keys that were asked about lately.
#[derive(Debug)]
pub(crate) struct Descriptions {
    shards: Box<[RwLock<Shard>]>,
    hasher: DefaultHashBuilder,
    bytes_max: usize,
}

#[derive(Debug, Default)]
struct Shard {
    /// By a hash of what they were made of: of two with the same, the later one stays.
    kept: HashMap<u64, Arc<Described>>,
    bytes: usize,
}

impl Default for Descriptions {
    fn default() -> Self {
        Self::of_at_most(BYTES_MAX)
    }
}

impl Descriptions {
    fn of_at_most(bytes_max: usize) -> Self {
        let shards = (0..SHARDS).map(|_| RwLock::default()).collect();
        Self { shards, hasher: DefaultHashBuilder::default(), bytes_max: bytes_max / SHARDS }
    }

    /// What is told of a key now.
    pub(crate) fn of(&self, entry: &Entry, directory: &Directory) -> Arc<Described> {
        // First: what changes while it is made is told of afterwards.
        let changes = directory.changes();
        let hash = self.hash(entry);
        let Some(shard) = self.shards.get(usize::from(hash.to_be_bytes()[0]) % SHARDS) else {
            return Arc::new(Described::new(entry, Of::new(entry, changes)));
        };
        if let Some(kept) = shard.read().kept.get(&hash)
            && kept.of.is_still(entry, changes)
        {
            return Arc::clone(kept);
        }
        // What it is made of is read before it is made: a parent that changes meanwhile is another.
        let of = Of::new(entry, changes);
        let described = Arc::new(Described::new(entry, of));
        let gone = shard.write().keep(hash, &described, self.bytes_max);
        // Freed where nobody waits for it.
        drop(gone);
        described
    }

    /// Of the places of what it is made of: they do not move, and are nobody else's while it is kept.
    fn hash(&self, entry: &Entry) -> u64 {
        let consumer = entry.consumer.as_ref().map(|consumer| Arc::as_ptr(consumer).addr());
        let owner = Arc::as_ptr(&entry.owner).addr();
        let parent = entry.parent().map(|parent| Arc::as_ptr(parent).addr());
        let (place, policy) = (Arc::as_ptr(&entry.place).addr(), Arc::as_ptr(&entry.policy).addr());
        self.hasher.hash_one((entry.kind, place, owner, consumer, policy, parent))
    }
}

impl Shard {
    /// Keeps one; those that are kept no more.
    fn keep(&mut self, hash: u64, described: &Arc<Described>, bytes_max: usize) -> Vec<Arc<Described>> {
        let bytes = described.bytes();
        let mut gone: Vec<_> = self.forget(hash).into_iter().collect();
        if bytes > bytes_max {
            return gone;
        }
        while self.kept.len() >= KEPT_MAX / SHARDS || self.bytes + bytes > bytes_max {
            let Some(other) = self.kept.keys().next().copied() else { break };
            gone.extend(self.forget(other));
        }
        self.bytes += bytes;
        self.kept.insert(hash, Arc::clone(described));
        gone
    }

    fn forget(&mut self, hash: u64) -> Option<Arc<Described>> {
        let before = self.kept.remove(&hash)?;
        self.bytes -= before.bytes();
        Some(before)
    }
}

#[cfg(test)]
pub(crate) mod tests;
