//! Seen: what was observed of each lineage, in bounded aggregates.

use crate::conn::{Conn, Ledger};
use crate::error::StoreError;
use crate::row::row;
use crate::statement::statements;
use crate::value::Column;
use keystead_domain::ids::{KeyId, OrganizationId};
use keystead_domain::time::Micros;

/// How many lineages are asked for at once.
const CHUNK: usize = 32;

row! {
    /// What was observed of a lineage.
    #[derive(Debug)]
    SeenRow {
        /// Which lineage, by its first key.
        lineage_id: KeyId,
        /// In which organization.
        organization_id: OrganizationId,
        /// When one of its keys last passed.
        last_used_at: Option<Micros>,
        /// When one of its keys was last refused.
        last_refused_at: Option<Micros>,
        /// How many requests passed.
        passed: i64,
        /// How many were refused.
        refused: i64,
        /// The recent networks, agents, endpoints and permissions, as JSON.
        body: String,
    }
}

macro_rules! columns {
    () => {
        "lineage_id, organization_id, last_used_at, last_refused_at, passed, refused, body"
    };
}

statements! {
    BY_LINEAGE(1) = concat!("SELECT ", columns!(), " FROM seen WHERE lineage_id = $1");
    BY_LINEAGES(32) = concat!(
        "SELECT ", columns!(), " FROM seen WHERE lineage_id IN ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, ",
        "$13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32)",
    );
    PUT(7) = concat!(
        "INSERT INTO seen (", columns!(), ") VALUES ($1, $2, $3, $4, $5, $6, $7) ",
        "ON CONFLICT (lineage_id) DO UPDATE SET last_used_at = excluded.last_used_at, ",
        "last_refused_at = excluded.last_refused_at, passed = excluded.passed, refused = excluded.refused, ",
        "body = excluded.body",
    );
}

impl Conn {
    /// What was observed of a lineage.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn seen(&mut self, lineage: KeyId) -> Result<Option<SeenRow>, StoreError> {
        self.row(&BY_LINEAGE, [lineage.value()]).await
    }

    /// What was observed of these lineages, in no order; of some nothing was.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn seen_of(&mut self, lineages: &[KeyId]) -> Result<Vec<SeenRow>, StoreError> {
        let mut seen = Vec::with_capacity(lineages.len());
        for chunk in lineages.chunks(CHUNK) {
            let Some(last) = chunk.last() else { continue };
            // The same statement for every length: the last one fills the places left.
            let mut values = [last.value(); CHUNK];
            for (place, lineage) in values.iter_mut().zip(chunk) {
                *place = lineage.value();
            }
            seen.extend(self.rows::<SeenRow, CHUNK>(&BY_LINEAGES, values).await?);
        }
        Ok(seen)
    }
}

impl Ledger {
    /// Writes what was observed of a lineage, in place of what stood there, together with what comes next.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn put_seen(&mut self, row: &SeenRow) -> Result<(), StoreError> {
        self.later(&PUT, row.values()).await
    }
}
