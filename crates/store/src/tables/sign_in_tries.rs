//! Who was wrong how often when signing in: counted before the password is looked at, so that many at once are
//! no way around.

use crate::conn::Ledger;
use crate::error::StoreError;
use crate::statement::statements;
use crate::value::{Column, Value};
use keystead_domain::sign_in::backoff::Tries;
use keystead_domain::time::Micros;

statements! {
    // Writes nothing new where there is a row, and so locks it until the transaction's end on both engines.
    HOLD(1) = "INSERT INTO sign_in_tries (subject, failures, last_at) VALUES ($1, 0, 0) \
        ON CONFLICT (subject) DO UPDATE SET failures = sign_in_tries.failures RETURNING failures, last_at";
    SET(3) = "UPDATE sign_in_tries SET failures = $1, last_at = $2 WHERE subject = $3";
    TAKE_BACK(1) = "UPDATE sign_in_tries SET failures = failures - 1 WHERE subject = $1 AND failures > 0";
    FORGET(1) = "DELETE FROM sign_in_tries WHERE subject = $1";
    PURGE(1) = "DELETE FROM sign_in_tries WHERE last_at < $1";
}

impl Ledger {
    /// The tries of a subject, which nobody else changes before this transaction ends. Whoever holds several
    /// holds them in their order.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn hold_tries(&mut self, subject: &[u8; 16]) -> Result<Tries, StoreError> {
        let row: Option<(i64, i64)> = self.row(&HOLD, [subject.value()]).await?;
        Ok(row.map_or_else(Tries::default, |(count, last_at)| Tries { count, last_at: Micros(last_at) }))
    }

    /// Sets the tries of a subject that is held.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn set_tries(&mut self, subject: &[u8; 16], tries: Tries) -> Result<(), StoreError> {
        let values = [Value::Int(Some(tries.count)), tries.last_at.value(), subject.value()];
        self.execute(&SET, values).await.map(|_| ())
    }

    /// Takes one try of a subject back: it was not wrong.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn take_try_back(&mut self, subject: &[u8; 16]) -> Result<(), StoreError> {
        self.execute(&TAKE_BACK, [subject.value()]).await.map(|_| ())
    }

    /// Forgets the tries of a subject.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn forget_tries(&mut self, subject: &[u8; 16]) -> Result<(), StoreError> {
        self.execute(&FORGET, [subject.value()]).await.map(|_| ())
    }

    /// Forgets tries from before an instant; how many subjects.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn purge_tries(&mut self, before: Micros) -> Result<u64, StoreError> {
        self.execute(&PURGE, [before.value()]).await
    }
}
