//! Replays: what a request with an `Idempotency-Key` was answered, so that its retry is answered
//! the same and does nothing.

use crate::conn::{Conn, Ledger, Tx};
use crate::error::StoreError;
use crate::row::row;
use crate::statement::statements;
use crate::value::Column;
use keystead_domain::ids::OrganizationId;
use keystead_domain::time::Micros;
use std::fmt;

row! {
    /// One answered request.
    ReplayRow {
        /// The keyed digest of its caller and its `Idempotency-Key`.
        id: [u8; 32],
        /// Whose it is.
        organization_id: OrganizationId,
        /// The keyed digest of its method, path and body.
        request: [u8; 32],
        /// When it was answered.
        at: Micros,
        /// The ids of what it made, as a JSON list; empty where its answer holds no secret.
        ids: String,
        /// Its answer, sealed; `None` once it was purged.
        answer: Option<Vec<u8>>,
        /// Until when its answer is given again.
        answer_until: Micros,
    }
}

impl fmt::Debug for ReplayRow {
    /// Without digests and answer.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReplayRow").field("at", &self.at).finish_non_exhaustive()
    }
}

macro_rules! columns {
    () => {
        "id, organization_id, request, at, ids, answer, answer_until"
    };
}

statements! {
    // One statement, so that of two at once exactly one claims; the other waits for its commit.
    CLAIM(8) = concat!(
        "INSERT INTO replays (", columns!(), ") VALUES ($1, $2, $3, $4, $5, $6, $7) ",
        "ON CONFLICT (id) DO UPDATE SET organization_id = excluded.organization_id, ",
        "request = excluded.request, at = excluded.at, ids = excluded.ids, answer = excluded.answer, ",
        "answer_until = excluded.answer_until WHERE replays.at <= $8",
    );
    RECORD(4) = "UPDATE replays SET ids = $1, answer = $2, answer_until = $3 WHERE id = $4";
    BY_ID(1) = concat!("SELECT ", columns!(), " FROM replays WHERE id = $1");
    PURGE_ANSWERS(1) = "UPDATE replays SET answer = NULL WHERE answer_until <= $1 AND answer IS NOT NULL";
    PURGE(1) = "DELETE FROM replays WHERE at <= $1";
}

impl Conn {
    /// What was answered under an id.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn replay(&mut self, id: &[u8; 32]) -> Result<Option<ReplayRow>, StoreError> {
        self.row(&BY_ID, [id.value()]).await
    }
}

impl Tx {
    /// Claims an id for this transaction; `false` when it is claimed and that was after
    /// `forgotten_until`. Whoever claims it at the same time waits for this transaction's end.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn claim_replay(
        &mut self,
        row: &ReplayRow,
        forgotten_until: Micros,
    ) -> Result<bool, StoreError> {
        let [id, organization, request, at, ids, answer, until] = row.values();
        let values = [id, organization, request, at, ids, answer, until, forgotten_until.value()];
        self.execute(&CLAIM, values).await.map(|rows| rows > 0)
    }

    /// Writes the answer beside a claim of this transaction.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn record_replay(&mut self, row: &ReplayRow) -> Result<(), StoreError> {
        let values = [row.ids.value(), row.answer.value(), row.answer_until.value(), row.id.value()];
        self.execute(&RECORD, values).await.map(|_| ())
    }
}

impl Ledger {
    /// Purges the answers whose time is over by `now`, and all that was claimed until
    /// `forgotten_until`.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn purge_replays(&mut self, now: Micros, forgotten_until: Micros) -> Result<(), StoreError> {
        self.execute(&PURGE_ANSWERS, [now.value()]).await?;
        self.execute(&PURGE, [forgotten_until.value()]).await.map(|_| ())
    }
}
