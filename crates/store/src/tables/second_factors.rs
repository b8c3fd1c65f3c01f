//! Second factors: the sealed secret of one-time codes, and the keyed digests of recovery codes.

use crate::conn::{Conn, Tx};
use crate::error::StoreError;
use crate::row::row;
use crate::statement::statements;
use crate::value::{Column, Value};
use keystead_domain::ids::AccountId;
use keystead_domain::time::Micros;
use std::fmt;

row! {
    /// A second factor.
    SecondFactorRow {
        /// Whose.
        account_id: AccountId,
        /// The secret, sealed.
        sealed: Vec<u8>,
        /// When it was begun.
        created_at: Micros,
        /// When it was first proved: before, it does not count.
        confirmed_at: Option<Micros>,
        /// The last step whose code was taken.
        last_step: i64,
    }
}

impl fmt::Debug for SecondFactorRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecondFactorRow").field("confirmed_at", &self.confirmed_at).finish_non_exhaustive()
    }
}

macro_rules! columns {
    () => {
        "account_id, sealed, created_at, confirmed_at, last_step"
    };
}

statements! {
    OF(1) = concat!("SELECT ", columns!(), " FROM second_factors WHERE account_id = $1");
    // One that counts is removed first, by whoever proves it.
    BEGIN(5) = concat!(
        "INSERT INTO second_factors (", columns!(), ") VALUES ($1, $2, $3, $4, $5) ON CONFLICT (account_id) DO UPDATE ",
        "SET sealed = excluded.sealed, created_at = excluded.created_at, last_step = excluded.last_step ",
        "WHERE second_factors.confirmed_at IS NULL",
    );
    CONFIRM(4) = "UPDATE second_factors SET confirmed_at = $1, last_step = $2 \
        WHERE account_id = $3 AND sealed = $4 AND confirmed_at IS NULL";
    // Of two with one code at once the second waits for the first, and then finds it taken.
    TAKE_STEP(2) = "UPDATE second_factors SET last_step = $1 \
        WHERE account_id = $2 AND last_step < $1 AND confirmed_at IS NOT NULL";
    REMOVE(1) = "DELETE FROM second_factors WHERE account_id = $1";
    ADD_CODE(2) = "INSERT INTO recovery_codes (account_id, digest) VALUES ($1, $2)";
    TAKE_CODE(2) = "DELETE FROM recovery_codes WHERE account_id = $1 AND digest = $2";
    REMOVE_CODES(1) = "DELETE FROM recovery_codes WHERE account_id = $1";
}

impl Conn {
    /// An account's second factor, also one that does not count yet.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn second_factor(&mut self, account: AccountId) -> Result<Option<SecondFactorRow>, StoreError> {
        self.row(&OF, [account.value()]).await
    }
}

impl Tx {
    /// Begins a second factor in place of one that does not count yet; `false` when one counts.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn begin_second_factor(&mut self, row: &SecondFactorRow) -> Result<bool, StoreError> {
        self.write("second_factors", &row.account_id.0, &BEGIN, row.values()).await
    }

    /// Has a second factor count from now on; `false` when it is no longer the one that was proved.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn confirm_second_factor(
        &mut self,
        row: &SecondFactorRow,
        step: i64,
        now: Micros,
    ) -> Result<bool, StoreError> {
        let values = [now.value(), step.value(), row.account_id.value(), row.sealed.value()];
        self.write("second_factors", &row.account_id.0, &CONFIRM, values).await
    }

    /// Takes a step's code; `false` when that one or a later one was taken before.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn take_step(&mut self, account: AccountId, step: i64) -> Result<bool, StoreError> {
        self.write("second_factors", &account.0, &TAKE_STEP, [step.value(), account.value()]).await
    }

    /// Removes the secret of one-time codes; `false` when there is none.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn remove_second_factor(&mut self, account: AccountId) -> Result<bool, StoreError> {
        self.write("second_factors", &account.0, &REMOVE, [account.value()]).await
    }

    /// Removes an account's recovery codes; `false` when there are none.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn remove_recovery_codes(&mut self, account: AccountId) -> Result<bool, StoreError> {
        self.write("recovery_codes", &account.0, &REMOVE_CODES, [account.value()]).await
    }

    /// Gives an account these recovery codes in place of those that it had.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn replace_recovery_codes(
        &mut self,
        account: AccountId,
        digests: &[[u8; 32]],
    ) -> Result<(), StoreError> {
        self.execute(&REMOVE_CODES, [account.value()]).await?;
        for digest in digests {
            self.execute(&ADD_CODE, [account.value(), Value::Bytes(Some(digest))]).await?;
        }
        self.touch("recovery_codes", account.0);
        Ok(())
    }

    /// Uses a recovery code up; `false` when it is none, or was used.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn take_recovery_code(
        &mut self,
        account: AccountId,
        digest: &[u8; 32],
    ) -> Result<bool, StoreError> {
        let values = [account.value(), Value::Bytes(Some(digest))];
        self.write("recovery_codes", &account.0, &TAKE_CODE, values).await
    }
}
