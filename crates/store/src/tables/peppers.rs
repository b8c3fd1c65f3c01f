//! Peppers: the keys of the digests, wrapped by the root key.

use crate::conn::{Conn, Tx};
use crate::error::StoreError;
use crate::row::row;
use crate::statement::statements;
use keystead_domain::time::Micros;
use std::fmt;

row! {
    /// A pepper.
    PepperRow {
        /// Recorded with every digest that it made.
        version: i64,
        /// The pepper, wrapped by the root key.
        wrapped: Vec<u8>,
        /// When it was made.
        created_at: Micros,
    }
}

impl fmt::Debug for PepperRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PepperRow").field("version", &self.version).finish_non_exhaustive()
    }
}

statements! {
    ALL(0) = "SELECT version, wrapped, created_at FROM peppers ORDER BY version";
    INSERT(3) = "INSERT INTO peppers (version, wrapped, created_at) VALUES ($1, $2, $3)";
}

impl Conn {
    /// Every pepper, the oldest version first.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn peppers(&mut self) -> Result<Vec<PepperRow>, StoreError> {
        self.rows(&ALL, []).await
    }
}

impl Tx {
    /// Adds a pepper.
    ///
    /// # Errors
    /// [`StoreError::Unique`] when its version is taken, or when the database cannot answer.
    pub async fn insert_pepper(&mut self, row: &PepperRow) -> Result<(), StoreError> {
        self.execute(&INSERT, row.values()).await.map(|_| ())
    }
}
