//! The audit's trees: how far each organization's has grown.

use crate::conn::{Conn, Ledger};
use crate::error::StoreError;
use crate::row::row;
use crate::statement::statements;
use crate::tables::audit_leaves::Leaf;
use crate::tables::page::limit;
use crate::value::{Column, Value};
use keystead_domain::ids::OrganizationId;
use std::collections::BTreeSet;

row! {
    /// The tree of an organization's audit.
    #[derive(Debug)]
    AuditTreeRow {
        /// Whose it is.
        organization_id: OrganizationId,
        /// How many records it has.
        size: i64,
        /// Its right edge.
        edge: Vec<u8>,
        /// What its checkpoints are verified with.
        verifier: String,
    }
}

macro_rules! columns {
    () => {
        "organization_id, size, edge, verifier"
    };
}

statements! {
    ALL(0) = concat!("SELECT ", columns!(), " FROM audit_trees ORDER BY organization_id");
    // Whoever has anything of a tree must have one.
    WITH_LEAVES(0) = "SELECT organization_id FROM audit_deleted \
         UNION SELECT organization_id FROM audit_checkpoints \
         UNION SELECT organization_id FROM audit WHERE position IS NOT NULL";
    // Each has a record of its creation.
    FOUNDED(0) = "SELECT id FROM organizations";
    BY_ORGANIZATION(1) = concat!("SELECT ", columns!(), " FROM audit_trees WHERE organization_id = $1");
    // Writes nothing new, and so locks what is there until the transaction's end on both engines.
    LOCK(4) = concat!(
        "INSERT INTO audit_trees (", columns!(), ") VALUES ($1, $2, $3, $4) \
         ON CONFLICT (organization_id) DO UPDATE SET size = audit_trees.size RETURNING ", columns!(),
    );
    PUT(4) = "UPDATE audit_trees SET size = $2, edge = $3, verifier = $4 WHERE organization_id = $1";
    // Those that have grown since their last checkpoint.
    GROWN(2) = concat!(
        "SELECT ", columns!(), " FROM audit_trees t WHERE organization_id > $1 AND size > 0 AND NOT EXISTS \
         (SELECT 1 FROM audit_checkpoints c WHERE c.organization_id = t.organization_id AND c.size = t.size) \
         ORDER BY organization_id LIMIT $2",
    );
    // One statement: a record that is deleted meanwhile is in one of the two.
    LEAVES(3) = "SELECT position, leaf FROM audit \
         WHERE organization_id = $1 AND position >= $2 AND position < $3 \
         UNION SELECT position, leaf FROM audit_deleted \
         WHERE organization_id = $1 AND position >= $2 AND position < $3 ORDER BY position";
}

/// One that is no id is no organization's.
fn ids(rows: Vec<(Vec<u8>,)>) -> BTreeSet<OrganizationId> {
    rows.iter().filter_map(|(id,)| OrganizationId::from_slice(id)).collect()
}

impl Conn {
    /// Every organization's tree.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn audit_trees(&mut self) -> Result<Vec<AuditTreeRow>, StoreError> {
        self.rows(&ALL, []).await
    }

    /// The organizations that have had a record with a place.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn audited_organizations(&mut self) -> Result<BTreeSet<OrganizationId>, StoreError> {
        Ok(ids(self.rows(&WITH_LEAVES, []).await?))
    }

    /// Every organization that there is.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn founded_organizations(&mut self) -> Result<BTreeSet<OrganizationId>, StoreError> {
        Ok(ids(self.rows(&FOUNDED, []).await?))
    }

    /// An organization's tree; `None` before its first record has a place.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn audit_tree(
        &mut self,
        organization: OrganizationId,
    ) -> Result<Option<AuditTreeRow>, StoreError> {
        self.row(&BY_ORGANIZATION, [organization.value()]).await
    }

    /// Trees that have no checkpoint of their size, in the order of their organizations, after one.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn grown_audit_trees(
        &mut self,
        after: Option<OrganizationId>,
        rows_max: u32,
    ) -> Result<Vec<AuditTreeRow>, StoreError> {
        let after = after.as_ref().map_or(&[][..], |after| &after.0);
        self.rows(&GROWN, [Value::Bytes(Some(after)), limit(rows_max)]).await
    }

    /// The leaves at an organization's places from one on and before another, in order, also those of deleted
    /// records.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn audit_leaves(
        &mut self,
        organization: OrganizationId,
        from: i64,
        to: i64,
    ) -> Result<Vec<Leaf>, StoreError> {
        self.rows(&LEAVES, [organization.value(), from.value(), to.value()]).await
    }
}

impl Ledger {
    /// An organization's tree, an empty one where there is none, which nobody else changes before this
    /// transaction ends.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn lock_audit_tree(
        &mut self,
        organization: OrganizationId,
    ) -> Result<AuditTreeRow, StoreError> {
        let values =
            [organization.value(), Value::Int(Some(0)), Value::Bytes(Some(&[])), Value::Text(Some(""))];
        let row = self.row(&LOCK, values).await?;
        row.ok_or(StoreError::Corrupt("an organization's audit tree"))
    }

    /// Writes a tree that [`Self::lock_audit_tree`] gave.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn put_audit_tree(&mut self, row: &AuditTreeRow) -> Result<(), StoreError> {
        self.write("audit_trees", &row.organization_id.0, &PUT, row.values()).await.map(|_| ())
    }
}
