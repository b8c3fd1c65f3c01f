//! Accounts: people as they sign in. One may be a member of several organizations.

use crate::conn::{Conn, Tx};
use crate::error::StoreError;
use crate::row::row;
use crate::statement::statements;
use crate::value::{Column, Value};
use keystead_domain::ids::AccountId;
use keystead_domain::time::Micros;
use std::fmt;

row! {
    /// An account.
    AccountRow {
        /// Its id.
        id: AccountId,
        /// By which it is known, in its one form.
        email: String,
        /// The person's name.
        name: String,
        /// The digest of the password; none where another way in is the only one.
        password: Option<String>,
        /// When it was made.
        created_at: Micros,
        /// When it was last changed.
        updated_at: Micros,
        /// Counts its changes.
        version: i64,
    }
}

impl fmt::Debug for AccountRow {
    /// Without the digest.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccountRow").field("id", &self.id).finish_non_exhaustive()
    }
}

macro_rules! columns {
    () => {
        "id, email, name, password, created_at, updated_at, version"
    };
}

statements! {
    INSERT(7) = concat!("INSERT INTO accounts (", columns!(), ") VALUES ($1, $2, $3, $4, $5, $6, $7)");
    BY_ID(1) = concat!("SELECT ", columns!(), " FROM accounts WHERE id = $1");
    BY_EMAIL(1) = concat!("SELECT ", columns!(), " FROM accounts WHERE email = $1");
    // Writes nothing new, and so locks the row until the transaction's end on both engines.
    HOLD(2) = "UPDATE accounts SET version = version WHERE id = $1 AND version = $2";
    SET_PASSWORD(4) = "UPDATE accounts SET password = $1, updated_at = $2, version = version + 1 \
        WHERE id = $3 AND version = $4";
}

impl Conn {
    /// An account by its id.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn account(&mut self, id: AccountId) -> Result<Option<AccountRow>, StoreError> {
        self.row(&BY_ID, [id.value()]).await
    }

    /// An account by its e-mail address in its one form.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn account_by_email(&mut self, email: &str) -> Result<Option<AccountRow>, StoreError> {
        self.row(&BY_EMAIL, [Value::Text(Some(email))]).await
    }
}

impl Tx {
    /// Adds an account.
    ///
    /// # Errors
    /// [`StoreError::Unique`] when there is one with its address, or when the database cannot answer.
    pub async fn insert_account(&mut self, row: &AccountRow) -> Result<(), StoreError> {
        self.write("accounts", &row.id.0, &INSERT, row.values()).await.map(|_| ())
    }

    /// Holds an account until the transaction's end; `false` when it was changed since it was seen.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn hold_account(&mut self, seen: &AccountRow) -> Result<bool, StoreError> {
        Ok(self.execute(&HOLD, [seen.id.value(), seen.version.value()]).await? > 0)
    }

    /// Gives an account another password; `false` when it was changed since it was seen.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn set_password(
        &mut self,
        seen: &AccountRow,
        digest: &str,
        now: Micros,
    ) -> Result<bool, StoreError> {
        let values = [Value::Text(Some(digest)), now.value(), seen.id.value(), seen.version.value()];
        self.write("accounts", &seen.id.0, &SET_PASSWORD, values).await
    }
}
