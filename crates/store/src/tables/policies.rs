//! Policies: what keys were granted and how they are restricted, stored once for all that share it.

use crate::conn::{Conn, Ledger, Tx, answered};
use crate::error::StoreError;
use crate::row::row;
use crate::statement::statements;
use crate::tables::page::limit;
use crate::transaction::steer;
use crate::value::{Column, Value};
use keystead_domain::ids::OrganizationId;

/// Waits for the acts that have added or found a policy, and keeps others from it until the end. Whoever is
/// kept waits at most so long.
const ALONE: &str = "SET LOCAL lock_timeout = '500ms'; LOCK TABLE policies IN SHARE ROW EXCLUSIVE MODE";

row! {
    /// A policy.
    #[derive(Debug)]
    only_read PolicyRow {
        /// Whose it is.
        organization_id: OrganizationId,
        /// Of its body; keys refer to it by this.
        hash: [u8; 32],
        /// What it says, as JSON.
        body: String,
    }
}

statements! {
    INSERT(3) = "INSERT INTO policies (organization_id, hash, body) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    BY_HASH(2) = "SELECT body FROM policies WHERE organization_id = $1 AND hash = $2";
    ALL(0) = "SELECT organization_id, hash, body FROM policies";
    UNUSED(1) = "SELECT organization_id, hash FROM policies WHERE NOT EXISTS (SELECT 1 FROM keys \
        WHERE keys.organization_id = policies.organization_id AND keys.policy_hash = policies.hash) LIMIT $1";
    DELETE_UNUSED(2) = "DELETE FROM policies WHERE organization_id = $1 AND hash = $2 AND NOT EXISTS (SELECT 1 \
        FROM keys WHERE keys.organization_id = $1 AND keys.policy_hash = $2)";
}

impl Conn {
    /// An organization's policy.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn policy(
        &mut self,
        organization: OrganizationId,
        hash: &[u8; 32],
    ) -> Result<Option<String>, StoreError> {
        let row = self.row::<(String,), 2>(&BY_HASH, [organization.value(), hash.value()]).await?;
        Ok(row.map(|(body,)| body))
    }

    /// Every policy of every organization, for the keyring.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn all_policies(&mut self) -> Result<Vec<PolicyRow>, StoreError> {
        self.rows(&ALL, []).await
    }
}

impl Tx {
    /// Adds a policy unless it is there.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn insert_policy(
        &mut self,
        organization: OrganizationId,
        hash: &[u8; 32],
        body: &str,
    ) -> Result<(), StoreError> {
        self.later(&INSERT, [organization.value(), hash.value(), Value::Text(Some(body))]).await
    }
}

impl Ledger {
    /// Deletes policies that no key refers to, so many at most; how many. On PostgreSQL no act that adds or
    /// finds a policy runs meanwhile: it would give a key what has gone.
    ///
    /// # Errors
    /// When an act is at policies for longer than half a second, or the database cannot answer.
    pub async fn delete_unused_policies(&mut self, rows_max: u32) -> Result<u64, StoreError> {
        let unused = self.rows::<(Vec<u8>, Vec<u8>), 1>(&UNUSED, [limit(rows_max)]).await?;
        if unused.is_empty() {
            return Ok(0);
        }
        if self.is_on_postgres() {
            self.before(&[])?;
            let locked = answered(true, steer(self, ALONE)).await;
            self.after(locked)?;
        }
        let mut deleted = 0;
        for (organization, hash) in &unused {
            let values = [Value::Bytes(Some(organization)), Value::Bytes(Some(hash))];
            deleted += self.execute(&DELETE_UNUSED, values).await?;
        }
        Ok(deleted)
    }
}
