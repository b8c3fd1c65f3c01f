//! What many keys share and an administrator may change: one cell each, swapped atomically, so that
//! a change touches one cell and not ten thousand keys.

use crate::conditions::ConditionCell;
use crate::ids::{ConsumerId, EnvironmentId, OrganizationId, OwnerId, ProjectId, RoleId};
use crate::meter::{Meter, MeterRules};
use crate::pattern::{Pattern, PermissionSet};
use crate::reach::Reach;
use arc_swap::ArcSwap;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A project as verification needs it.
#[derive(Debug)]
pub struct ProjectCell {
    /// Its id.
    pub id: ProjectId,
    /// Whose it is.
    pub organization: OrganizationId,
    /// Its slug, which never changes.
    pub slug: Box<str>,
    /// Whether its keys guard Keystead's own API.
    pub system: bool,
    /// How a grant names it and all that is in it: `projects/prj_…`.
    pub resource: Box<str>,
    /// How its keys begin now.
    pub prefix: ArcSwap<Box<str>>,
    /// Its permission catalogue now.
    pub catalogue: ArcSwap<Catalogue>,
    /// The policies that its keys are asked for.
    pub conditions: ConditionCell,
}

/// The permissions that a project knows.
#[derive(Debug, Clone, Default)]
pub struct Catalogue {
    names: BTreeMap<Box<str>, Flags>,
}

/// How a permission is marked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Flags {
    /// May be held by keys that are meant to be seen.
    pub public_safe: bool,
    /// Deserves extra care when it is given.
    pub sensitive: bool,
}

impl Catalogue {
    /// Whether the name is known.
    #[must_use]
    pub fn knows(&self, name: &str) -> bool {
        self.names.contains_key(name)
    }

    /// Whether keys that are meant to be seen may hold it.
    #[must_use]
    pub fn is_public_safe(&self, name: &str) -> bool {
        self.names.get(name).is_some_and(|flags| flags.public_safe)
    }

    /// Whether it deserves extra care when it is given.
    #[must_use]
    pub fn is_sensitive(&self, name: &str) -> bool {
        self.names.get(name).is_some_and(|flags| flags.sensitive)
    }

    /// Adds or replaces a name.
    pub fn insert(&mut self, name: &str, flags: Flags) {
        self.names.insert(name.into(), flags);
    }

    /// Removes a name.
    pub fn remove(&mut self, name: &str) {
        self.names.remove(name);
    }

    /// Every name, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.keys().map(|name| &**name)
    }

    /// Whether a grant of `pattern` says something: an exact name must be known, a pattern must
    /// match a known one; `**` is everything there will ever be.
    #[must_use]
    pub fn grounds(&self, pattern: &Pattern) -> bool {
        if pattern.is_exact() {
            return self.knows(pattern.as_str());
        }
        pattern.as_str() == "**" || self.names().any(|name| pattern.matches(name))
    }
}

/// Where keys are valid: an environment of a project.
#[derive(Debug)]
pub struct Place {
    /// Its environment.
    pub environment: EnvironmentId,
    /// The environment's slug, which never changes.
    pub slug: Box<str>,
    /// What stands in its keys.
    pub tag: Box<str>,
    /// How a grant names it and all that is in it: `projects/prj_…/environments/env_…`.
    pub resource: Box<str>,
    /// Its project.
    pub project: Arc<ProjectCell>,
}

/// A role and its permissions now.
#[derive(Debug)]
pub struct RoleCell {
    /// Its id.
    pub id: RoleId,
    /// Its name, which never changes.
    pub name: Box<str>,
    /// Its permissions now; empty after it was deleted.
    pub permissions: ArcSwap<PermissionSet>,
}

/// A service account, consumer, member or seat: an owner, or whom a key is issued to.
#[derive(Debug)]
pub struct Principal {
    /// Its id.
    pub id: OwnerId,
    /// Whose it is.
    pub organization: OrganizationId,
    /// What it is and may do now.
    pub state: ArcSwap<PrincipalState>,
}

impl Principal {
    /// Its id where it is a consumer.
    #[must_use]
    pub const fn consumer_id(&self) -> Option<ConsumerId> {
        match self.id {
            OwnerId::Consumer(id) => Some(id),
            OwnerId::ServiceAccount(_) | OwnerId::Member(_) | OwnerId::Seat(_) => None,
        }
    }
}

/// What a principal is and may do now.
#[derive(Debug)]
pub struct PrincipalState {
    /// Its name.
    pub name: Box<str>,
    /// A consumer's external id.
    pub external_id: Option<Box<str>>,
    /// What its keys may do at most.
    pub reach: Reach,
    /// Whether it is switched off, and all of its keys with it.
    pub disabled: bool,
    /// Limits shared by all of a consumer's keys.
    pub rules: MeterRules,
    /// Their counters.
    pub meter: Arc<Meter>,
}

impl PrincipalState {
    /// Whether all of its keys have stopped.
    #[must_use]
    pub fn is_off(&self) -> bool {
        self.disabled || self.reach.is_off()
    }
}
