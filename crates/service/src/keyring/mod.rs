//! The keyring: every key that is not purged, resident in memory, so that verification never waits
//! for the database. No `.await`, no lock that a writer holds for long, no allocation.

mod directory;
mod foreign;
pub(crate) mod imports;
mod lineages;
mod parents;
mod shard;
mod table;

pub use directory::Directory;
pub(crate) use directory::Guarded;
pub use lineages::{Company, Lineages};

use keystead_api::Code;
use keystead_domain::decide::{Ask, Decision, decide};
use keystead_domain::digest::Pepper;
use keystead_domain::entry::Entry;
use keystead_domain::ids::{EnvironmentId, KeyId, OrganizationId, ProjectId};
use keystead_domain::special::ParentCell;
use keystead_domain::time::Micros;
use keystead_domain::token::{Token, Unchecked};
use parents::Parents;
use shard::Shards;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

/// In which keys to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The keys of an organization, of a project, of an environment. A key of another one is not
    /// found: a development key never opens production, and nobody sees another tenant's.
    Within {
        /// Whose.
        organization: OrganizationId,
        /// Only this project's.
        project: Option<ProjectId>,
        /// Only this environment's.
        environment: Option<EnvironmentId>,
    },
    /// The keys that guard Keystead's own API, of every organization.
    System,
    /// Every key: whoever asks has only the key itself, and it says where it is.
    Everywhere,
}

impl Scope {
    pub(crate) fn holds(&self, entry: &Entry) -> bool {
        let place = &entry.place;
        match self {
            Self::System => place.project.system,
            Self::Everywhere => true,
            Self::Within { organization, project, environment } => {
                place.project.organization == *organization
                    && project.is_none_or(|id| id == place.project.id)
                    && environment.is_none_or(|id| id == place.environment)
            }
        }
    }
}

/// Every key, and what keys share.
#[derive(Debug)]
pub struct Keyring {
    shards: Shards,
    parents: Parents,
    pub(crate) imports: imports::Imports,
    peppers: Vec<Pepper>,
    /// Organizations, projects, environments, roles, owners, policies.
    pub directory: Directory,
    stale: AtomicBool,
    /// By the wall clock, which also runs while a machine is paused.
    fresh_until: AtomicI64,
}

impl Keyring {
    /// An empty one with the peppers of its digests.
    #[must_use]
    pub fn new(peppers: Vec<Pepper>) -> Self {
        Self {
            shards: Shards::new(),
            parents: Parents::default(),
            imports: imports::Imports::default(),
            peppers,
            directory: Directory::default(),
            stale: AtomicBool::new(false),
            fresh_until: AtomicI64::new(i64::MAX),
        }
    }

    /// The pepper for new digests; `None` before the installation has one.
    #[must_use]
    pub fn current_pepper(&self) -> Option<&Pepper> {
        self.peppers.iter().max_by_key(|pepper| pepper.version())
    }

    /// What `then` makes of the verdict on a request that carries `token`, and of the key that it is
    /// about: where the key stands, under a lock that only a change of keys waits for.
    ///
    /// # Errors
    /// As [`Self::find`]: the token proved nothing, and state is not for strangers.
    pub fn verify<T>(
        &self,
        scope: &Scope,
        token: &str,
        ask: &Ask<'_>,
        now: Micros,
        then: impl FnOnce(Decision, &Entry) -> T,
    ) -> Result<T, Code> {
        self.proven(scope, token, now, |entry| then(decide(entry, ask, now), entry))
    }

    /// The key that `token` is, once its digest has matched.
    ///
    /// # Errors
    /// `malformed`, `not_found`, `wrong_secret`; `unavailable` on a node that cannot know, also
    /// instead of `not_found`.
    pub fn find(&self, scope: &Scope, token: &str, now: Micros) -> Result<Entry, Code> {
        self.proven(scope, token, now, Entry::clone)
    }

    /// What `then` makes of the key that `text` is.
    fn proven<T>(
        &self,
        scope: &Scope,
        text: &str,
        now: Micros,
        then: impl FnOnce(&Entry) -> T,
    ) -> Result<T, Code> {
        if self.is_stale(now) {
            return Err(Code::Unavailable);
        }
        let Some(unchecked) = Unchecked::read(text) else {
            return self.imported(scope, text, Code::Malformed, then);
        };
        let mut then = Some(then);
        let prove = |token: Option<Token<'_>>, entry: &Entry| {
            let token = token.ok_or(Code::Malformed)?;
            if !scope.holds(entry) {
                return Err(Code::NotFound);
            }
            let pepper = self.pepper(entry.pepper).ok_or(Code::Unavailable)?;
            let organization = entry.place.project.organization;
            let digest = pepper.digest_while(organization, entry.id, &token, || entry.fetch_ahead());
            if !digest.matches(&entry.digest) {
                return Err(Code::WrongSecret);
            }
            then.take().map(|then| then(entry)).ok_or(Code::Unavailable)
        };
        let found = self.shards.with_while(unchecked.id(), || unchecked.checked(), prove);
        let none =
            |token: Option<Token<'_>>| Err(if token.is_some() { Code::NotFound } else { Code::Malformed });
        match (found.unwrap_or_else(none), then) {
            // Another issuer's token may look like one of ours.
            (Err(code @ (Code::NotFound | Code::Malformed)), Some(then)) => {
                self.imported(scope, text, code, then)
            }
            (proven, _) => proven,
        }
    }

    /// A key by its id, for an administrator.
    #[must_use]
    pub fn get(&self, id: KeyId) -> Option<Entry> {
        self.shards.with(id, Entry::clone)
    }

    /// Whether there is a key with this id.
    #[must_use]
    pub fn knows(&self, id: KeyId) -> bool {
        self.shards.with(id, |_| ()).is_some()
    }

    /// Puts a key in, in place of what had its id.
    pub fn put(&self, entry: Entry) {
        let id = entry.id;
        self.shards.put(entry);
        self.parents.changed(id, || self.get(id));
    }

    /// Puts a key in unless its id is there: a creation must not undo an edit that overtook it.
    pub fn put_new(&self, entry: Entry) {
        let id = entry.id;
        self.shards.put_new(entry);
        self.parents.changed(id, || self.get(id));
    }

    /// Forgets a purged key.
    pub fn remove(&self, id: KeyId) {
        let parent = self.shards.remove(id).and_then(|entry| entry.parent().map(|parent| parent.id));
        self.parents.changed(id, || None);
        self.imports.remove(id);
        if let Some(parent) = parent {
            self.parents.release(parent);
        }
    }

    /// What the keys minted from this one hold of it.
    #[must_use]
    pub fn parent_cell(&self, id: KeyId) -> Arc<ParentCell> {
        self.parents.cell(id, || self.get(id))
    }

    /// How many keys that are not purged were minted from this one.
    #[must_use]
    pub fn children(&self, id: KeyId) -> usize {
        self.parents.children(id)
    }

    /// How many keys are resident.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shards.len()
    }

    /// Whether no key is resident.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Makes room for so many keys at once.
    pub fn reserve(&self, keys: usize) {
        self.shards.reserve(keys);
    }

    /// Calls `visit` for every key. Keys that come or go meanwhile may be missed.
    pub fn for_each(&self, visit: impl FnMut(&Entry)) {
        self.shards.for_each(visit);
    }

    /// Says whether this node can still know of every change.
    pub fn set_stale(&self, stale: bool) {
        self.stale.store(stale, Ordering::Release);
    }

    /// The same, and what was said before.
    pub(crate) fn swap_stale(&self, stale: bool) -> bool {
        self.stale.swap(stale, Ordering::AcqRel)
    }

    /// Says until when, by the wall clock, what is known now may be answered from. Asked at each
    /// request: after a pause of the machine the first of them comes before anybody else wakes.
    pub fn set_fresh_until(&self, until: Micros) {
        self.fresh_until.store(until.0, Ordering::Release);
    }

    /// Whether this node cannot know of every change, and so answers `unavailable`.
    #[must_use]
    pub fn is_stale(&self, now: Micros) -> bool {
        self.stale.load(Ordering::Acquire) || now.0 > self.fresh_until.load(Ordering::Acquire)
    }

    fn pepper(&self, version: u16) -> Option<&Pepper> {
        self.peppers.iter().find(|pepper| pepper.version() == version)
    }
}
