//! Passkeys: public keys that prove whose an account is.

use crate::conn::{Conn, Tx};
use crate::error::StoreError;
use crate::row::row;
use crate::statement::statements;
use crate::value::{Column, Value};
use keystead_domain::ids::{AccountId, PasskeyId};
use keystead_domain::time::Micros;
use std::fmt;

row! {
    /// A passkey.
    PasskeyRow {
        /// Its id.
        id: PasskeyId,
        /// Whose.
        account_id: AccountId,
        /// What its person calls it.
        name: String,
        /// By which authenticators know it.
        credential_id: Vec<u8>,
        /// Its public key, COSE.
        public_key: Vec<u8>,
        /// Its algorithm's number in COSE.
        algorithm: i64,
        /// How often it was used; 0 where it does not count.
        sign_count: i64,
        /// How it is reached, as its browser said: JSON.
        transports: String,
        /// Whether it may be copied to the person's other devices.
        backup_eligible: bool,
        /// Whether it was.
        backed_up: bool,
        /// When it was added.
        created_at: Micros,
        /// When it was last used.
        last_used_at: Option<Micros>,
        /// Counts its changes.
        version: i64,
    }
}

impl fmt::Debug for PasskeyRow {
    /// Without what finds it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasskeyRow").field("id", &self.id).finish_non_exhaustive()
    }
}

macro_rules! columns {
    () => {
        "id, account_id, name, credential_id, public_key, algorithm, sign_count, transports, backup_eligible, \
         backed_up, created_at, last_used_at, version"
    };
}

statements! {
    INSERT(13) = concat!("INSERT INTO passkeys (", columns!(), ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)");
    OF(1) = concat!("SELECT ", columns!(), " FROM passkeys WHERE account_id = $1 ORDER BY created_at DESC, id DESC");
    BY_CREDENTIAL(1) = concat!("SELECT ", columns!(), " FROM passkeys WHERE credential_id = $1");
    // The counter's rule once more, where nobody comes between: of two uses with one count the second finds it taken.
    USE(5) = "UPDATE passkeys SET sign_count = $1, backed_up = $2, last_used_at = $3 WHERE id = $4 \
        AND account_id = $5 AND (sign_count < $1 OR (sign_count = 0 AND $1 = 0))";
    RENAME(4) = "UPDATE passkeys SET name = $1, version = version + 1 WHERE account_id = $2 AND id = $3 AND version = $4";
    DELETE(2) = "DELETE FROM passkeys WHERE account_id = $1 AND id = $2";
    // Binaries before this one know nothing of passkeys: a password alone would pass where it must not.
    NEEDS(0) = "UPDATE installation SET value = '21' WHERE name = 'schema_oldest_binary' \
        AND CAST(value AS BIGINT) < 21 AND EXISTS (SELECT 1 FROM passkeys)";
}

/// What a use of a passkey changes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PasskeyUse {
    /// Which one.
    pub id: PasskeyId,
    /// Whose.
    pub account: AccountId,
    /// How often it was used.
    pub sign_count: i64,
    /// Whether it was copied to another device.
    pub backed_up: bool,
}

impl Conn {
    /// An account's passkeys, newest first.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn passkeys(&mut self, account: AccountId) -> Result<Vec<PasskeyRow>, StoreError> {
        self.rows(&OF, [account.value()]).await
    }

    /// A passkey by what authenticators know it by.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn passkey_by_credential(&mut self, id: &[u8]) -> Result<Option<PasskeyRow>, StoreError> {
        self.row(&BY_CREDENTIAL, [Value::Bytes(Some(id))]).await
    }

    /// Where there is a passkey, keeps binaries away that know none.
    pub(crate) async fn keep_from_who_knows_no_passkeys(&mut self) -> Result<(), StoreError> {
        self.execute(&NEEDS, []).await.map(|_| ())
    }
}

impl Tx {
    /// Adds a passkey. From then on binaries that know none are kept away.
    ///
    /// # Errors
    /// [`StoreError::Unique`] when somebody has it already, or when the database cannot answer.
    pub async fn insert_passkey(&mut self, row: &PasskeyRow) -> Result<(), StoreError> {
        self.write("passkeys", &row.id.0, &INSERT, row.values()).await?;
        self.keep_from_who_knows_no_passkeys().await
    }

    /// Notes that a passkey was used; `false` when it is gone, or its counter did not go up.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn use_passkey(&mut self, used: &PasskeyUse, now: Micros) -> Result<bool, StoreError> {
        let values = [
            used.sign_count.value(),
            used.backed_up.value(),
            now.value(),
            used.id.value(),
            used.account.value(),
        ];
        self.write("passkeys", &used.id.0, &USE, values).await
    }

    /// Gives a passkey another name; `false` when its version is no longer the expected one, or there is none.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn rename_passkey(&mut self, row: &PasskeyRow, name: &str) -> Result<bool, StoreError> {
        let values = [Value::Text(Some(name)), row.account_id.value(), row.id.value(), row.version.value()];
        self.write("passkeys", &row.id.0, &RENAME, values).await
    }

    /// Deletes a passkey; `false` when there is none.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn delete_passkey(&mut self, account: AccountId, id: PasskeyId) -> Result<bool, StoreError> {
        self.write("passkeys", &id.0, &DELETE, [account.value(), id.value()]).await
    }
}
