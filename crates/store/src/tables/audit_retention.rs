//! What retention does to the audit: the oldest records go, with their salts; their leaves stay, and the tree
//! with them.

use crate::conn::{Conn, Ledger};
use crate::error::StoreError;
use crate::statement::statements;
use crate::tables::page::limit;
use crate::value::{Column, Value};
use keystead_domain::ids::{AuditId, OrganizationId};
use keystead_domain::time::Micros;

statements! {
    VOUCHED(1) = "SELECT coalesce(max(size), 0) FROM audit_checkpoints WHERE organization_id = $1";
    // Without gaps: one among those that stay would show that it was not retention.
    KEPT_FROM(4) = "SELECT coalesce(min(position), $4) FROM audit \
        WHERE organization_id = $1 AND at >= $2 AND at <= $3 AND position IS NOT NULL";
    // What stands behind the last old one may be new, whatever its time says.
    OLD_TO(2) = "SELECT coalesce(max(position), -1) + 1 FROM audit WHERE organization_id = $1 AND at < $2";
    NEWEST(1) = "SELECT coalesce(max(at), 0) FROM audit WHERE organization_id = $1";
    DELETED_TO(1) = "SELECT coalesce(max(position), -1) + 1 FROM audit_deleted WHERE organization_id = $1";
    OLD(3) = "SELECT id, position FROM audit WHERE organization_id = $1 AND position < $2 ORDER BY position LIMIT $3";
    KEEP_LEAF(1) = "INSERT INTO audit_deleted (audit_id, organization_id, position, leaf) \
        SELECT id, organization_id, position, leaf FROM audit WHERE id = $1 AND position IS NOT NULL";
    DELETE(1) = "DELETE FROM audit WHERE id = $1";
}

impl Conn {
    /// The place of an organization's first record that retention leaves: not older than an instant, or one for
    /// which no checkpoint vouches. One from after `now`, when a clock was ahead, is as old as those around it.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn audit_kept_from(
        &mut self,
        organization: OrganizationId,
        before: Micros,
        now: Micros,
    ) -> Result<i64, StoreError> {
        let vouched = self.number(&VOUCHED, [organization.value()]).await?;
        let values = [organization.value(), before.value(), now.value(), vouched.value()];
        let kept_from = self.number(&KEPT_FROM, values).await?;
        let old_to = self.number(&OLD_TO, [organization.value(), before.value()]).await?;
        Ok(kept_from.min(old_to).min(vouched))
    }

    /// When an organization's newest record was made; the beginning of time without one.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn audit_newest(&mut self, organization: OrganizationId) -> Result<Micros, StoreError> {
        Ok(Micros(self.number(&NEWEST, [organization.value()]).await?))
    }

    /// The place behind the last of an organization's deleted records; 0 without any.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn audit_deleted_to(&mut self, organization: OrganizationId) -> Result<i64, StoreError> {
        self.number(&DELETED_TO, [organization.value()]).await
    }

    /// Records before a place with their own, in order.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn audit_before(
        &mut self,
        organization: OrganizationId,
        position: i64,
        rows_max: u32,
    ) -> Result<Vec<(AuditId, i64)>, StoreError> {
        let values = [organization.value(), position.value(), limit(rows_max)];
        let rows: Vec<(Vec<u8>, i64)> = self.rows(&OLD, values).await?;
        let ids: Option<Vec<_>> =
            rows.iter().map(|(id, place)| Some((AuditId::from_slice(id)?, *place))).collect();
        ids.ok_or(StoreError::Corrupt("an audit record's id"))
    }
}

impl Ledger {
    /// Deletes a record that has a place, with its salt; its leaf stays.
    ///
    /// # Errors
    /// [`StoreError::Unique`] when another node is doing it, or when the database cannot answer.
    pub async fn delete_audit(&mut self, id: AuditId) -> Result<(), StoreError> {
        let value = || [Value::Bytes(Some(&id.0))];
        if self.write("audit_deleted", &id.0, &KEEP_LEAF, value()).await? {
            self.write("audit", &id.0, &DELETE, value()).await?;
        }
        Ok(())
    }
}
