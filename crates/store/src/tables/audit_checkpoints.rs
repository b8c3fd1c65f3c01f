//! Checkpoints: what the audit's trees were, signed.

use crate::After;
use crate::conn::{Conn, Ledger};
use crate::error::StoreError;
use crate::row::row;
use crate::statement::statements;
use crate::tables::page::{limit, page};
use crate::value::Column;
use keystead_domain::ids::{CheckpointId, OrganizationId};
use keystead_domain::time::Micros;

row! {
    /// A checkpoint.
    #[derive(Debug)]
    CheckpointRow {
        /// Its id.
        id: CheckpointId,
        /// Whose tree it is of.
        organization_id: OrganizationId,
        /// How many records the tree had.
        size: i64,
        /// The signed note.
        note: String,
        /// When it was signed.
        created_at: Micros,
    }
}

macro_rules! columns {
    () => {
        "id, organization_id, size, note, created_at"
    };
}

statements! {
    INSERT(5) = concat!("INSERT INTO audit_checkpoints (", columns!(), ") VALUES ($1, $2, $3, $4, $5)");
    PAGE(4) = concat!(
        "SELECT ", columns!(), " FROM audit_checkpoints WHERE organization_id = $1 \
         AND (created_at, id) < ($2, $3) ORDER BY created_at DESC, id DESC LIMIT $4",
    );
    // A day has 86,400,000,000 microseconds.
    PASSED(3) = "SELECT id FROM audit_checkpoints c WHERE created_at >= $1 AND created_at < $2 AND EXISTS ( \
        SELECT 1 FROM audit_checkpoints l WHERE l.organization_id = c.organization_id AND l.size > c.size \
        AND l.created_at >= c.created_at - c.created_at % 86400000000 \
        AND l.created_at < c.created_at - c.created_at % 86400000000 + 86400000000) \
        ORDER BY created_at, id LIMIT $3";
    DELETE(1) = "DELETE FROM audit_checkpoints WHERE id = $1";
}

impl Conn {
    /// A page of an organization's checkpoints, newest first.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn audit_checkpoints(
        &mut self,
        organization: OrganizationId,
        after: After<[u8; 16]>,
        rows_max: u32,
    ) -> Result<Vec<CheckpointRow>, StoreError> {
        let (at, id) = page(after);
        self.rows(&PAGE, [organization.value(), at.value(), id.value(), limit(rows_max)]).await
    }

    /// Checkpoints since an instant and before another after which their organization had a larger one on the same day.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn passed_checkpoints(
        &mut self,
        since: Micros,
        before: Micros,
        rows_max: u32,
    ) -> Result<Vec<CheckpointId>, StoreError> {
        let values = [since.value(), before.value(), limit(rows_max)];
        let rows: Vec<(Vec<u8>,)> = self.rows(&PASSED, values).await?;
        let ids: Option<Vec<_>> = rows.iter().map(|(id,)| CheckpointId::from_slice(id)).collect();
        ids.ok_or(StoreError::Corrupt("a checkpoint's id"))
    }
}

impl Ledger {
    /// Adds a checkpoint.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn insert_checkpoint(&mut self, row: &CheckpointRow) -> Result<(), StoreError> {
        self.write("audit_checkpoints", &row.id.0, &INSERT, row.values()).await.map(|_| ())
    }

    /// Forgets a checkpoint. A larger one vouches for its records, too.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn delete_checkpoint(&mut self, id: CheckpointId) -> Result<bool, StoreError> {
        self.write("audit_checkpoints", &id.0, &DELETE, [id.value()]).await
    }
}
