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
}

impl Ledger {
    /// Adds a checkpoint.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn insert_checkpoint(&mut self, row: &CheckpointRow) -> Result<(), StoreError> {
        self.write("audit_checkpoints", &row.id.0, &INSERT, row.values()).await.map(|_| ())
    }
}
