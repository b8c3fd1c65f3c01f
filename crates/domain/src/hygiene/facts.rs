//! What hygiene looks at of a key.

use crate::time::Micros;
use keystead_api::{KeyKind, Seen};

/// What hygiene looks at of a key.
#[derive(Debug, Clone)]
pub struct HygieneFacts<'a> {
    /// Its id as it is written.
    pub id: &'a str,
    /// Its project's slug.
    pub project: &'a str,
    /// Its environment's slug.
    pub environment: &'a str,
    /// What it is for.
    pub kind: KeyKind,
    /// From when it could surely be used: its last change, or the begin of its validity where that is later.
    pub usable_from: Micros,
    /// When it was created.
    pub created_at: Micros,
    /// When its validity ends.
    pub expires_at: Option<Micros>,
    /// When a rotation plan or a guardrail says that it has to be rotated.
    pub rotation_due_at: Option<Micros>,
    /// What it may do now.
    pub held: &'a [Held],
    /// Whether it has everything that its catalogue knows, and whatever comes, by `**`.
    pub holds_all: bool,
    /// Whether a role gives it something.
    pub has_roles: bool,
    /// Whether it may be used from some networks only.
    pub has_networks: bool,
    /// Whether anything limits how often it is used.
    pub has_limits: bool,
    /// Whose it is.
    pub owner: OwnerFacts<'a>,
    /// What was observed of its lineage.
    pub seen: &'a Seen,
    /// Which lists of `seen` are full, and so may have lost something.
    pub overflowed: Overflowed,
    /// Whether each use of it is recorded.
    pub use_is_recorded: bool,
    /// Whether keys were minted from it of late: their use is recorded as its own.
    pub has_minted: bool,
    /// The time at which it is judged.
    pub now: Micros,
}

/// A permission that a key has now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Its name.
    pub name: String,
    /// Only on these resources; empty means on all.
    pub resources: Vec<String>,
    /// Whether the catalogue says that it deserves extra care.
    pub sensitive: bool,
    /// The key has surely had it from then on.
    pub since: Micros,
    /// Whether its use is recorded.
    pub use_is_recorded: bool,
}

/// Who owns a key, and whether that tells anybody who answers for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnerFacts<'a> {
    /// A service account.
    ServiceAccount {
        /// `sa_…`
        id: &'a str,
        /// Whether it is one of the key's project: else it is whoever made the key and named no owner.
        of_project: bool,
        /// Whether somebody wrote down what it is.
        is_described: bool,
    },
    /// A consumer.
    Consumer {
        /// `con_…`
        id: &'a str,
        /// Whether it can be reached.
        has_contact: bool,
    },
    /// A person, themselves or in a team's name.
    Person,
    /// A person who is disabled.
    Disabled,
    /// A person who has left the team in whose name the key was made.
    Left {
        /// When they left.
        at: Micros,
    },
}

/// Which bounded lists of what was seen are full.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Overflowed {
    /// Networks.
    pub networks: bool,
    /// User agents.
    pub user_agents: bool,
    /// Permissions.
    pub permissions: bool,
}

impl HygieneFacts<'_> {
    /// Whether it holds a permission that deserves extra care, or everything.
    #[must_use]
    pub fn is_administrative(&self) -> bool {
        self.holds_all || self.held.iter().any(|held| held.sensitive)
    }
}
