//! The installation's few values: which schema it has, and what is decided once.

use crate::conn::{Conn, Ledger, Tx};
use crate::error::StoreError;
use crate::statement::statements;
use crate::value::Value;

statements! {
    BY_NAME(1) = "SELECT value FROM installation WHERE name = $1";
    PUT(2) = "INSERT INTO installation (name, value) VALUES ($1, $2) \
        ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    DECIDE(2) = "INSERT INTO installation (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";
}

impl Conn {
    /// The installation's value of that name.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn installation_value(&mut self, name: &str) -> Result<Option<String>, StoreError> {
        let row = self.row::<(String,), 1>(&BY_NAME, [Value::Text(Some(name))]).await?;
        Ok(row.map(|(value,)| value))
    }
}

impl Ledger {
    /// Sets the installation's value of that name unless it has one: what is decided once, and by
    /// no person.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn decide_installation_value(&mut self, name: &str, value: &str) -> Result<(), StoreError> {
        self.execute(&DECIDE, [Value::Text(Some(name)), Value::Text(Some(value))]).await.map(|_| ())
    }
}

impl Tx {
    /// Sets the installation's value of that name.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn set_installation_value(&mut self, name: &str, value: &str) -> Result<(), StoreError> {
        self.execute(&PUT, [Value::Text(Some(name)), Value::Text(Some(value))]).await.map(|_| ())
    }
}
