//! Ceremonies of passkeys under way: short-lived, and finished once. Of a token only its keyed digest is kept. Nobody has
//! decided anything yet, so they are bookkeeping, and neither backup nor log has them.

use crate::conn::{Conn, Ledger};
use crate::error::StoreError;
use crate::row::row;
use crate::statement::statements;
use crate::value::{Column, Value};
use keystead_domain::ids::{FlowId, SessionId};
use keystead_domain::time::Micros;
use std::fmt;

row! {
    /// A ceremony under way.
    PasskeyFlowRow {
        /// Its id.
        id: FlowId,
        /// What it is for.
        purpose: String,
        /// In which session it was begun; none where somebody signs in.
        session_id: Option<SessionId>,
        /// The keyed digest of its token.
        digest: [u8; 32],
        /// From which network it was begun.
        network: String,
        /// When it was begun.
        created_at: Micros,
        /// When it is over.
        expires_at: Micros,
    }
}

impl fmt::Debug for PasskeyFlowRow {
    /// Without the digest.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasskeyFlowRow").field("id", &self.id).finish_non_exhaustive()
    }
}

macro_rules! columns {
    () => {
        "id, purpose, session_id, digest, network, created_at, expires_at"
    };
}

statements! {
    INSERT(7) = concat!("INSERT INTO passkey_flows (", columns!(), ") VALUES ($1, $2, $3, $4, $5, $6, $7)");
    BY_ID(1) = concat!("SELECT ", columns!(), " FROM passkey_flows WHERE id = $1");
    OPEN_FROM(2) = "SELECT count(*) FROM passkey_flows WHERE network = $1 AND expires_at > $2";
    // Of two at once the second waits for the first, and then finds none.
    TAKE(2) = "DELETE FROM passkey_flows WHERE id = $1 AND expires_at > $2";
    PURGE(1) = "DELETE FROM passkey_flows WHERE expires_at <= $1";
}

impl Conn {
    /// A ceremony under way.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn passkey_flow(&mut self, id: FlowId) -> Result<Option<PasskeyFlowRow>, StoreError> {
        self.row(&BY_ID, [id.value()]).await
    }
}

impl Ledger {
    /// How many ceremonies from a network are under way.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn passkey_flows_from(&mut self, network: &str, now: Micros) -> Result<i64, StoreError> {
        self.number(&OPEN_FROM, [Value::Text(Some(network)), now.value()]).await
    }

    /// Adds a ceremony under way.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn insert_passkey_flow(&mut self, row: &PasskeyFlowRow) -> Result<(), StoreError> {
        self.execute(&INSERT, row.values()).await.map(|_| ())
    }

    /// Uses a ceremony up; `false` when it was used, or its time is over.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn take_passkey_flow(&mut self, id: FlowId, now: Micros) -> Result<bool, StoreError> {
        Ok(self.execute(&TAKE, [id.value(), now.value()]).await? > 0)
    }

    /// Forgets ceremonies whose time is over; how many.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn purge_passkey_flows(&mut self, now: Micros) -> Result<u64, StoreError> {
        self.execute(&PURGE, [now.value()]).await
    }
}
