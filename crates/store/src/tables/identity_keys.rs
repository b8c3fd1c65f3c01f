//! The keys by which upstreams are told, signed, whose request they have.

use crate::conn::{Conn, Ledger};
use crate::error::StoreError;
use crate::row::row;
use crate::statement::statements;
use crate::value::Column;
use keystead_domain::ids::SigningKeyId;
use keystead_domain::time::Micros;
use std::fmt;

row! {
    /// A key that signs identities.
    IdentityKeyRow {
        /// Its id: the `kid` of what it signs.
        id: SigningKeyId,
        /// Its seed, sealed by the root key. What its signatures are verified with comes from this alone: who can only
        /// write into the database has no key of theirs published.
        sealed: Vec<u8>,
        /// When it was made.
        created_at: Micros,
        /// From when on it signs, until the next one does.
        signs_from: Micros,
    }
}

impl fmt::Debug for IdentityKeyRow {
    /// Without the seed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdentityKeyRow")
            .field("id", &self.id)
            .field("signs_from", &self.signs_from)
            .finish_non_exhaustive()
    }
}

statements! {
    ALL(0) = "SELECT id, sealed, created_at, signs_from FROM identity_keys ORDER BY signs_from, id";
    INSERT(4) = "INSERT INTO identity_keys (id, sealed, created_at, signs_from) VALUES ($1, $2, $3, $4)";
    DELETE(1) = "DELETE FROM identity_keys WHERE id = $1";
}

/// For which place the seed of a key is sealed.
#[must_use]
pub fn identity_key_place(id: SigningKeyId) -> String {
    format!("identity_keys/{id}/sealed")
}

impl Conn {
    /// Every key that signs, signed or will, in the order in which they do: they are few.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn identity_keys(&mut self) -> Result<Vec<IdentityKeyRow>, StoreError> {
        self.rows(&ALL, []).await
    }
}

impl Ledger {
    /// Adds a key.
    ///
    /// # Errors
    /// [`StoreError::Unique`] when its id is taken, or when the database cannot answer.
    pub async fn insert_identity_key(&mut self, row: &IdentityKeyRow) -> Result<(), StoreError> {
        self.write("identity_keys", &row.id.0, &INSERT, row.values()).await.map(|_| ())
    }

    /// Forgets a key: what it signed is believed no more; `false` when there is none.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn delete_identity_key(&mut self, id: SigningKeyId) -> Result<bool, StoreError> {
        self.write("identity_keys", &id.0, &DELETE, [id.value()]).await
    }
}
