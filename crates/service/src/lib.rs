//! Keystead's use cases, one per file, and the resident keyring. No SQL, no HTTP types.

mod access_policies;
mod accounts;
mod act;
mod act_some;
mod admin_key;
mod after_backup;
mod apply;
mod apply_key;
mod apply_people;
mod approvals;
mod asked;
mod attempts;
mod audit_checkpoints;
mod audit_export;
mod audit_list;
mod audit_retention;
mod audit_tree;
pub mod audit_verify;
pub mod backup;
mod bulk_keys;
pub mod caller;
mod cells;
mod close;
mod consumers;
mod counters;
mod counting;
mod create_key;
mod create_keys;
mod cursor;
mod delete_key;
mod described;
mod due_keys;
mod end_rotation;
mod entropy;
mod environments;
mod every_hour;
mod export_keys;
mod find_keys;
mod first_use;
mod follow;
mod freshness;
mod guard;
mod guardrails;
mod guidelines;
mod held_up;
mod hold_key;
mod hygiene;
mod identity_providers;
mod import_keys;
mod key_grants;
mod key_owners;
mod key_proof;
mod key_view;
pub mod keyring;
mod kinds;
mod lease;
mod lineage_limits;
mod lineage_reuse;
mod load;
mod locate;
pub mod management;
mod membership;
mod mint_key;
mod nodes;
mod notice_view;
mod notices;
mod open;
mod organizations;
mod patterns;
mod people;
mod permissions;
mod post;
mod present;
mod projects;
mod purge_temporary;
mod refused;
mod replay;
mod retry_notice;
mod return_leases;
mod reveal_key;
mod roles;
pub mod root_key;
mod rotate_key;
mod rotation_plans;
mod rotation_view;
mod seek;
mod service_accounts;
mod shares;
mod show_key;
mod sightings;
mod sign_in;
mod signed_identity;
mod slot;
mod slow_imports;
mod switch_key;
mod system_catalogue;
mod system_clock;
mod tend_rotations;
mod test_mail;
mod tidy;
mod update_key;
mod upgrade_imports;
mod usage;
mod usage_flush;
mod verify;
mod versions;
mod widening;

pub use audit_export::ExportedAudit;
pub use audit_tree::AuditSettings;
pub use counters::Counters;
pub use entropy::Entropy;
pub use export_keys::ExportedKeys;
pub use guard::Door;
pub use membership::ALONE_MAX;
pub use open::{OpenFailed, Opened, Settings, Waits};
pub use post::{MailCounts, MailSettings};
pub use purge_temporary::Temporary;
pub use refused::{NotSignedIn, Refused};
pub use sign_in::{Begun, Returns, SignInSettings, Started, check_breached_passwords};
pub use system_clock::SystemClock;
pub use verify::BATCH_MAX;

use keyring::Keyring;
use keystead_domain::share::Sharing;
use keystead_domain::time::Clock;
use keystead_store::Store;
use parking_lot::Mutex;
use std::sync::Arc;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// A running installation. Each use case is a method, in a file of its own.
pub struct Keystead {
    store: Store,
    keyring: Arc<Keyring>,
    clock: Arc<dyn Clock>,
    entropy: Entropy,
    root: root_key::RootKeyring,
    temporary: Temporary,
    usage: usage::Usage,
    turns: lease::Turns,
    appliers: apply::Appliers,
    in_flight: replay::InFlight,
    /// Whose turn it is to look at many keys at once.
    reports: Semaphore,
    /// Where other nodes may make keys.
    seeker: Option<seek::Seeker>,
    /// Up to which number of the feed everything is known here (nothing below it may still come); told after
    /// each round of reading it.
    feed: watch::Sender<i64>,
    slow_budget: slow_imports::SlowBudget,
    /// What verdicts tell of keys.
    descriptions: described::Descriptions,
    counters: Counters,
    audit: audit_tree::AuditTrees,
    membership: membership::Membership,
    shares: shares::Shares,
    /// What sends mail.
    post: post::Post,
    sign_in: sign_in::SignInRoom,
    /// What upstreams are told, signed.
    identities: signed_identity::Identities,
    /// Look-ups of contacts, which anybody may make.
    lookups: people::Lookups,
    /// Until when this node counts rate limits alone, in memory.
    sharing: Sharing,
    /// Background work, ended by [`Keystead::close`].
    stopping: CancellationToken,
    jobs: Mutex<Vec<JoinHandle<()>>>,
    /// Acts and leases in work, which no client cancels and [`Keystead::close`] waits for.
    tasks: TaskTracker,
}

impl std::fmt::Debug for Keystead {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keystead").field("keys", &self.keyring.len()).finish_non_exhaustive()
    }
}

impl Keystead {
    /// What this process has counted since its start.
    #[must_use]
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }

    /// How many keys are resident.
    #[must_use]
    pub fn keys_resident(&self) -> usize {
        self.keyring.len()
    }

    /// Usage events dropped because the queue was full, since the start.
    #[must_use]
    pub fn usage_dropped(&self) -> u64 {
        self.usage.dropped()
    }

    /// Whether the log beside the database is written: what is acknowledged while it is not lives or
    /// is spent again after a restore.
    #[must_use]
    pub fn log_is_kept(&self) -> bool {
        self.store.log().is_none_or(|log| log.failing_since().is_none())
    }

    /// How people sign in.
    #[must_use]
    pub const fn sign_in_settings(&self) -> &SignInSettings {
        &self.sign_in.settings
    }

    /// Whether this node can answer: it knows of every change.
    #[must_use]
    pub fn is_fresh(&self) -> bool {
        !self.keyring.is_stale(self.clock.now())
    }
}
