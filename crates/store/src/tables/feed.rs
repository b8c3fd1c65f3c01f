//! The change feed: what other nodes must hear of, written with the change itself. Its numbers are
//! given before the commit, so a reader sees a smaller one later than a greater one.

use crate::conn::{Conn, Ledger, Tx};
use crate::error::StoreError;
use crate::row::row;
use crate::statement::statements;
use crate::tables::page::limit;
use crate::value::{Column, Unreadable, Value};
use keystead_domain::ids::OrganizationId;
use keystead_domain::time::Micros;

/// What changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChangeKind {
    /// An organization.
    Organization,
    /// A project.
    Project,
    /// An environment.
    Environment,
    /// A permission of a catalogue.
    Permission,
    /// A role.
    Role,
    /// A service account.
    ServiceAccount,
    /// A consumer.
    Consumer,
    /// A member, or one of its seats.
    Member,
    /// A team.
    Team,
    /// An organization's policies.
    AccessPolicy,
    /// A project's guard.
    Guard,
    /// The keys that sign identities.
    IdentityKeys,
    /// A key.
    Key,
}

impl ChangeKind {
    const NAMES: [(Self, &'static str); 13] = [
        (Self::Organization, "organization"),
        (Self::Project, "project"),
        (Self::Environment, "environment"),
        (Self::Permission, "permission"),
        (Self::Role, "role"),
        (Self::ServiceAccount, "service_account"),
        (Self::Consumer, "consumer"),
        (Self::Member, "member"),
        (Self::Team, "team"),
        (Self::AccessPolicy, "access_policy"),
        (Self::Guard, "guard"),
        (Self::IdentityKeys, "identity_keys"),
        (Self::Key, "key"),
    ];
}

impl Column for ChangeKind {
    type Stored = String;
    const NULL: Value<'static> = Value::Text(None);

    fn value(&self) -> Value<'_> {
        Value::Text(Self::NAMES.iter().find(|(kind, _)| kind == self).map(|(_, name)| *name))
    }

    fn load(stored: String) -> Result<Self, Unreadable> {
        let named = Self::NAMES.iter().find(|(_, name)| *name == stored);
        named.map(|(kind, _)| *kind).ok_or(Unreadable("a change's kind"))
    }
}

/// A thing that changed, appeared or went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Whose it is.
    pub organization_id: OrganizationId,
    /// What it is.
    pub kind: ChangeKind,
    /// Its id's bytes.
    pub target: Vec<u8>,
}

impl Change {
    /// A change of the thing with these id bytes.
    pub fn new(organization_id: OrganizationId, kind: ChangeKind, target: impl AsRef<[u8]>) -> Self {
        Self { organization_id, kind, target: target.as_ref().to_vec() }
    }
}

/// When an act's rows are written, and by which open database.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stamp {
    pub(crate) at: Micros,
    pub(crate) origin: Option<[u8; 16]>,
}

row! {
    /// A row of the feed.
    #[derive(Debug)]
    only_read FeedRow {
        /// Its number; greater ones may have become visible before.
        seq: i64,
        /// When it was written.
        at: Micros,
        /// Whose the thing is.
        organization_id: OrganizationId,
        /// What it is.
        kind: ChangeKind,
        /// Its id's bytes.
        target: Vec<u8>,
        /// Which open database wrote it, where it is one that many share.
        origin: Option<[u8; 16]>,
    }
}

statements! {
    INSERT(5) = "INSERT INTO feed (at, organization_id, kind, target, origin) VALUES ($1, $2, $3, $4, $5)";
    AFTER(2) = "SELECT seq, at, organization_id, kind, target, origin FROM feed WHERE seq > $1 ORDER BY seq LIMIT $2";
    OLD(2) = "SELECT coalesce(max(seq), 0) FROM feed WHERE at < $1 AND seq <= $2";
    TRIMMED(1) = "INSERT INTO installation (name, value) VALUES ('feed_trimmed_to', CAST($1 AS TEXT)) \
        ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    TRIM(1) = "DELETE FROM feed WHERE seq <= $1";
}

impl Conn {
    /// The feed's visible rows with a greater number, in order.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn feed(&mut self, after_seq: i64, rows_max: u32) -> Result<Vec<FeedRow>, StoreError> {
        self.rows(&AFTER, [after_seq.value(), limit(rows_max)]).await
    }
}

impl Ledger {
    /// Deletes the feed's rows from before an instant, none with a greater number than `up_to`; how
    /// many. Nothing below that number may still become visible. How far it went is written down, so
    /// that a reader that had not come so far knows.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn trim_feed(&mut self, before: Micros, up_to: i64) -> Result<u64, StoreError> {
        let last = self.number(&OLD, [before.value(), up_to.value()]).await?;
        if last == 0 {
            return Ok(0);
        }
        self.execute(&TRIMMED, [last.value()]).await?;
        self.execute(&TRIM, [last.value()]).await
    }
}

impl Tx {
    /// Only `act` writes the feed, from what the act says that it changed.
    pub(crate) async fn insert_change(
        &mut self,
        Stamp { at, origin }: Stamp,
        change: &Change,
    ) -> Result<(), StoreError> {
        let values = [
            at.value(),
            change.organization_id.value(),
            change.kind.value(),
            change.target.value(),
            origin.value(),
        ];
        self.later(&INSERT, values).await
    }
}
