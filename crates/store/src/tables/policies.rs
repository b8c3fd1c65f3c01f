//! Policies: what keys were granted and how they are restricted, stored once for all that share it.

use crate::conn::{Conn, Ledger, Tx};
use crate::error::StoreError;
use crate::row::row;
use crate::statement::statements;
use crate::value::{Column, Value};
use keystead_domain::ids::OrganizationId;

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
    DELETE_UNUSED(1) = "DELETE FROM policies WHERE organization_id = $1 AND NOT EXISTS (SELECT 1 FROM keys \
        WHERE keys.organization_id = policies.organization_id AND keys.policy_hash = policies.hash)";
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
    /// Deletes the organization's policies that no key refers to; how many. On PostgreSQL it fails when
    /// an act gives one of them to a key at the same moment: never a part of an act.
    ///
    /// # Errors
    /// [`StoreError::Referenced`] then, or when the database cannot answer.
    pub async fn delete_unused_policies(&mut self, organization: OrganizationId) -> Result<u64, StoreError> {
        self.execute(&DELETE_UNUSED, [organization.value()]).await
    }
}
