//! Jobs that come round, and that one node does for all.

use crate::conn::Ledger;
use crate::error::StoreError;
use crate::statement::statements;
use crate::value::{Column, Value};
use keystead_domain::time::Micros;

statements! {
    // A turn further away than the next one was written by a clock that has since stepped back.
    CLAIM(3) = "INSERT INTO jobs (name, next_at) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE \
        SET next_at = excluded.next_at WHERE jobs.next_at <= $3 OR jobs.next_at > excluded.next_at";
}

impl Ledger {
    /// Takes a job's turn for whoever asks first; its next one comes at `next`. What is done in the
    /// same transaction is done once.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn claim_job(&mut self, name: &str, now: Micros, next: Micros) -> Result<bool, StoreError> {
        let claimed = self.execute(&CLAIM, [Value::Text(Some(name)), next.value(), now.value()]).await?;
        Ok(claimed > 0)
    }
}
