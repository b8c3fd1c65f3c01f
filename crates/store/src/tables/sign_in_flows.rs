//! Sign-ins that an identity provider is to finish: short-lived, and used once. Of a token only its keyed digest is
//! kept. Nobody has decided anything yet, so they are bookkeeping, and neither backup nor log has them.

use crate::conn::{Conn, Ledger};
use crate::error::StoreError;
use crate::row::row;
use crate::statement::statements;
use crate::value::{Column, Value};
use keystead_domain::ids::{FlowId, IdentityProviderId, OrganizationId};
use keystead_domain::time::Micros;
use std::fmt;

row! {
    /// A sign-in under way.
    FlowRow {
        /// Its id.
        id: FlowId,
        /// To which organization.
        organization_id: OrganizationId,
        /// Through whom.
        provider_id: IdentityProviderId,
        /// The keyed digest of its token.
        digest: [u8; 32],
        /// From which network it was begun.
        network: String,
        /// Where the browser comes back to.
        redirect_uri: String,
        /// Whether the person is to prove anew who they are.
        again: bool,
        /// When it was begun.
        created_at: Micros,
        /// When it is over.
        expires_at: Micros,
    }
}

impl fmt::Debug for FlowRow {
    /// Without the digest.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FlowRow").field("id", &self.id).finish_non_exhaustive()
    }
}

macro_rules! columns {
    () => {
        "id, organization_id, provider_id, digest, network, redirect_uri, again, created_at, expires_at"
    };
}

statements! {
    INSERT(9) = concat!("INSERT INTO sign_in_flows (", columns!(), ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)");
    BY_ID(1) = concat!("SELECT ", columns!(), " FROM sign_in_flows WHERE id = $1");
    OPEN_FROM(2) = "SELECT count(*) FROM sign_in_flows WHERE network = $1 AND expires_at > $2";
    // Of two at once the second waits for the first, and then finds none.
    TAKE(2) = "DELETE FROM sign_in_flows WHERE id = $1 AND expires_at > $2";
    PURGE(1) = "DELETE FROM sign_in_flows WHERE expires_at <= $1";
}

impl Conn {
    /// A sign-in under way.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn flow(&mut self, id: FlowId) -> Result<Option<FlowRow>, StoreError> {
        self.row(&BY_ID, [id.value()]).await
    }
}

impl Ledger {
    /// How many sign-ins from a network are under way.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn flows_from(&mut self, network: &str, now: Micros) -> Result<i64, StoreError> {
        self.number(&OPEN_FROM, [Value::Text(Some(network)), now.value()]).await
    }

    /// Adds a sign-in under way.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn insert_flow(&mut self, row: &FlowRow) -> Result<(), StoreError> {
        self.execute(&INSERT, row.values()).await.map(|_| ())
    }

    /// Uses a sign-in up; `false` when it was used, or its time is over.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn take_flow(&mut self, id: FlowId, now: Micros) -> Result<bool, StoreError> {
        Ok(self.execute(&TAKE, [id.value(), now.value()]).await? > 0)
    }

    /// Forgets sign-ins whose time is over; how many.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn purge_flows(&mut self, now: Micros) -> Result<u64, StoreError> {
        self.execute(&PURGE, [now.value()]).await
    }
}
