//! A place in a transaction to go back to: an act on many things undoes one of them whole, and goes on.

use crate::conn::{Conn, Tx, answered};
use crate::error::StoreError;
use crate::transaction::steer;

/// A place in a transaction. It ends with [`Tx::keep`] or [`Tx::undo`]; there is one at a time.
#[must_use]
pub struct Mark {
    touched: usize,
}

impl Tx {
    /// Marks this place.
    ///
    /// # Errors
    /// When the database cannot answer, or something failed before.
    pub async fn mark(&mut self) -> Result<Mark, StoreError> {
        self.flush().await?;
        step(self, "SAVEPOINT one").await?;
        Ok(Mark { touched: self.touched() })
    }

    /// Keeps what was done since, as far as the transaction comes.
    ///
    /// # Errors
    /// When something of it failed, or the database cannot answer.
    pub async fn keep(&mut self, _: Mark) -> Result<(), StoreError> {
        self.flush().await?;
        step(self, "RELEASE SAVEPOINT one").await
    }

    /// Undoes what was done since, and forgets what of it failed.
    ///
    /// # Errors
    /// When the database cannot answer: then nothing of the transaction stands.
    pub async fn undo(&mut self, mark: Mark) -> Result<(), StoreError> {
        self.take_failure();
        self.forget_touched(mark.touched);
        step(self, "ROLLBACK TO SAVEPOINT one").await?;
        step(self, "RELEASE SAVEPOINT one").await
    }
}

async fn step(conn: &mut Conn, sql: &'static str) -> Result<(), StoreError> {
    conn.before(&[])?;
    let result = answered(conn.is_on_postgres(), steer(conn, sql)).await;
    conn.after(result)
}
