//! What was seen of keys that are rotated away: who still uses them, and who does after their end.

use crate::conn::{Conn, Ledger};
use crate::error::StoreError;
use crate::row::row;
use crate::statement::statements;
use crate::value::{Column, Unreadable, Value};
use keystead_domain::ids::{KeyId, OrganizationId};

/// When it was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DrainPhase {
    /// While the key was still valid beside the new one.
    Draining,
    /// After its end.
    Reused,
}

impl DrainPhase {
    const NAMES: [(Self, &'static str); 2] = [(Self::Draining, "draining"), (Self::Reused, "reused")];
}

impl Column for DrainPhase {
    type Stored = String;
    const NULL: Value<'static> = Value::Text(None);

    fn value(&self) -> Value<'_> {
        Value::Text(Self::NAMES.iter().find(|(phase, _)| phase == self).map(|(_, name)| *name))
    }

    fn load(stored: String) -> Result<Self, Unreadable> {
        let named = Self::NAMES.iter().find(|(_, name)| *name == stored);
        named.map(|(phase, _)| *phase).ok_or(Unreadable("a drain's phase"))
    }
}

row! {
    /// What was seen of one key in one phase.
    #[derive(Debug)]
    DrainSeenRow {
        /// Which key.
        key_id: KeyId,
        /// When.
        phase: DrainPhase,
        /// In which organization.
        organization_id: OrganizationId,
        /// The bounded aggregate, as JSON.
        body: String,
    }
}

statements! {
    OF_KEY(1) = "SELECT key_id, phase, organization_id, body FROM drain_seen WHERE key_id = $1 ORDER BY phase";
    PUT(4) = "INSERT INTO drain_seen (key_id, phase, organization_id, body) VALUES ($1, $2, $3, $4) \
        ON CONFLICT (key_id, phase) DO UPDATE SET body = excluded.body";
}

impl Conn {
    /// What was seen of a key that is rotated away: at most a row for each phase.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn drain_seen(&mut self, key: KeyId) -> Result<Vec<DrainSeenRow>, StoreError> {
        self.rows(&OF_KEY, [key.value()]).await
    }
}

impl Ledger {
    /// Writes what was seen, in place of what stood there.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn put_drain_seen(&mut self, row: &DrainSeenRow) -> Result<(), StoreError> {
        self.execute(&PUT, row.values()).await.map(|_| ())
    }
}
