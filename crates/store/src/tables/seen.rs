//! Seen: what was observed of each lineage, in bounded aggregates.

use crate::conn::{Conn, Ledger};
use crate::error::StoreError;
use crate::row::row;
use crate::statement::statements;
use crate::value::Column;
use keystead_domain::ids::{KeyId, OrganizationId};
use keystead_domain::time::Micros;

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
}

impl Ledger {
    /// Writes what was observed of a lineage, in place of what stood there.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn put_seen(&mut self, row: &SeenRow) -> Result<(), StoreError> {
        self.execute(&PUT, row.values()).await.map(|_| ())
    }
}
