//! Every column that the root key seals: whoever adds one lists it in [`SEALED`], and with that a
//! root key can be exchanged. A test compares the list with the schema.

use crate::conn::{Conn, Ledger};
use crate::error::StoreError;
use crate::statement::{Statement, statements};
use crate::tables::identity_keys::identity_key_place;
use crate::tables::identity_providers::provider_secret_place;
use crate::tables::outbox::letter_place;
use crate::tables::page::limit;
use crate::value::{Column, Value};
use keystead_domain::ids::{AccountId, IdentityProviderId, KeyId, NoticeId, OrganizationId, SigningKeyId};

/// Which row a sealed value is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SealedRow {
    /// A number.
    Number(i64),
    /// A key of an organization.
    Key(OrganizationId, KeyId),
    /// A thing with an id of 16 bytes.
    Thing([u8; 16]),
}

/// How a column's rows are named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    Number,
    Key,
    Thing,
}

impl SealedRow {
    fn value(&self) -> Value<'_> {
        match self {
            Self::Number(number) => Value::Int(Some(*number)),
            Self::Key(_, id) => id.value(),
            Self::Thing(id) => id.value(),
        }
    }
}

/// A column that the root key seals.
#[derive(Debug)]
pub struct Sealed {
    /// Its table.
    pub table: &'static str,
    /// Its name.
    pub column: &'static str,
    /// For which place the value of a row was sealed; `None` for a row that cannot be.
    pub place: fn(&SealedRow) -> Option<String>,
    by: By,
    waiting: Statement<2>,
    replace: Statement<3>,
    labels: Statement<0>,
}

statements! {
    PEPPERS_WAITING(2) =
        "SELECT version, wrapped FROM peppers WHERE substr(wrapped, 1, 9) <> $1 ORDER BY version LIMIT $2";
    PEPPERS_REPLACE(3) = "UPDATE peppers SET wrapped = $1 WHERE version = $2 AND wrapped = $3";
    SEALING(0) = "SELECT substr(wrapped, 1, 9) FROM peppers ORDER BY version DESC LIMIT 1";
    PUBLIC_WAITING(2) = "SELECT organization_id, key_id, sealed FROM public_keys \
        WHERE substr(sealed, 1, 9) <> $1 ORDER BY key_id LIMIT $2";
    PUBLIC_REPLACE(3) = "UPDATE public_keys SET sealed = $1 WHERE key_id = $2 AND sealed = $3";
    PUBLIC_LABELS(0) = "SELECT substr(sealed, 1, 9), count(*) FROM public_keys GROUP BY substr(sealed, 1, 9)";
    LETTERS_WAITING(2) = "SELECT id, sealed FROM outbox WHERE sealed IS NOT NULL AND substr(sealed, 1, 9) <> $1 ORDER BY id LIMIT $2";
    LETTERS_REPLACE(3) = "UPDATE outbox SET sealed = $1 WHERE id = $2 AND sealed = $3";
    LETTERS_LABELS(0) = "SELECT substr(sealed, 1, 9), count(*) FROM outbox WHERE sealed IS NOT NULL GROUP BY substr(sealed, 1, 9)";
    FACTORS_WAITING(2) = "SELECT account_id, sealed FROM second_factors WHERE substr(sealed, 1, 9) <> $1 ORDER BY account_id LIMIT $2";
    FACTORS_REPLACE(3) = "UPDATE second_factors SET sealed = $1 WHERE account_id = $2 AND sealed = $3";
    FACTORS_LABELS(0) = "SELECT substr(sealed, 1, 9), count(*) FROM second_factors GROUP BY substr(sealed, 1, 9)";
    PROVIDERS_WAITING(2) = "SELECT id, sealed FROM identity_providers WHERE sealed IS NOT NULL AND substr(sealed, 1, 9) <> $1 ORDER BY id LIMIT $2";
    PROVIDERS_REPLACE(3) = "UPDATE identity_providers SET sealed = $1 WHERE id = $2 AND sealed = $3";
    PROVIDERS_LABELS(0) = "SELECT substr(sealed, 1, 9), count(*) FROM identity_providers WHERE sealed IS NOT NULL GROUP BY substr(sealed, 1, 9)";
    IDENTITY_WAITING(2) = "SELECT id, sealed FROM identity_keys WHERE substr(sealed, 1, 9) <> $1 ORDER BY id LIMIT $2";
    IDENTITY_REPLACE(3) = "UPDATE identity_keys SET sealed = $1 WHERE id = $2 AND sealed = $3";
    IDENTITY_LABELS(0) = "SELECT substr(sealed, 1, 9), count(*) FROM identity_keys GROUP BY substr(sealed, 1, 9)";
    PEPPERS_LABELS(0) = "SELECT substr(wrapped, 1, 9), count(*) FROM peppers GROUP BY substr(wrapped, 1, 9)";
}

/// The peppers. The newest one's label says which root key seals: an exchange replaces it in its own
/// transaction, so that of two nodes that exchange at once one is refused.
pub const PEPPERS: Sealed = Sealed {
    table: "peppers",
    column: "wrapped",
    place: |row| match row {
        SealedRow::Number(version) => Some(format!("peppers/{version}/wrapped")),
        SealedRow::Key(..) | SealedRow::Thing(_) => None,
    },
    by: By::Number,
    waiting: PEPPERS_WAITING,
    replace: PEPPERS_REPLACE,
    labels: PEPPERS_LABELS,
};

/// Every one.
pub const SEALED: &[Sealed] = &[
    PEPPERS,
    Sealed {
        table: "public_keys",
        column: "sealed",
        place: |row| match row {
            SealedRow::Key(organization, id) => Some(public_key_place(*organization, *id)),
            SealedRow::Number(_) | SealedRow::Thing(_) => None,
        },
        by: By::Key,
        waiting: PUBLIC_WAITING,
        replace: PUBLIC_REPLACE,
        labels: PUBLIC_LABELS,
    },
    Sealed {
        table: "outbox",
        column: "sealed",
        place: |row| match row {
            SealedRow::Thing(id) => Some(letter_place(NoticeId(*id))),
            SealedRow::Number(_) | SealedRow::Key(..) => None,
        },
        by: By::Thing,
        waiting: LETTERS_WAITING,
        replace: LETTERS_REPLACE,
        labels: LETTERS_LABELS,
    },
    Sealed {
        table: "second_factors",
        column: "sealed",
        place: |row| match row {
            SealedRow::Thing(id) => Some(second_factor_place(AccountId(*id))),
            SealedRow::Number(_) | SealedRow::Key(..) => None,
        },
        by: By::Thing,
        waiting: FACTORS_WAITING,
        replace: FACTORS_REPLACE,
        labels: FACTORS_LABELS,
    },
    Sealed {
        table: "identity_providers",
        column: "sealed",
        place: |row| match row {
            SealedRow::Thing(id) => Some(provider_secret_place(IdentityProviderId(*id))),
            SealedRow::Number(_) | SealedRow::Key(..) => None,
        },
        by: By::Thing,
        waiting: PROVIDERS_WAITING,
        replace: PROVIDERS_REPLACE,
        labels: PROVIDERS_LABELS,
    },
    Sealed {
        table: "identity_keys",
        column: "sealed",
        place: |row| match row {
            SealedRow::Thing(id) => Some(identity_key_place(SigningKeyId(*id))),
            SealedRow::Number(_) | SealedRow::Key(..) => None,
        },
        by: By::Thing,
        waiting: IDENTITY_WAITING,
        replace: IDENTITY_REPLACE,
        labels: IDENTITY_LABELS,
    },
];

/// For which place a public key is sealed: one that is moved to another row, or another tenant's,
/// does not open there.
#[must_use]
pub fn public_key_place(organization: OrganizationId, id: KeyId) -> String {
    format!("{organization}/public_keys/{id}/sealed")
}

/// For which place the secret of an account's one-time codes is sealed.
#[must_use]
pub fn second_factor_place(account: AccountId) -> String {
    format!("second_factors/{account}/sealed")
}

impl Conn {
    /// How many values of a column begin with each label, which names the key that sealed them.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn sealed_labels(&mut self, sealed: &Sealed) -> Result<Vec<(Vec<u8>, i64)>, StoreError> {
        self.rows(&sealed.labels, []).await
    }

    /// The label of the root key that seals now; none before the first pepper.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn sealing_label(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.row::<(Vec<u8>,), 0>(&SEALING, []).await?.map(|(label,)| label))
    }

    /// Values of a column that do not begin with a label, with their rows.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn sealed_otherwise(
        &mut self,
        sealed: &Sealed,
        label: &[u8],
        rows_max: u32,
    ) -> Result<Vec<(SealedRow, Vec<u8>)>, StoreError> {
        let values = [Value::Bytes(Some(label)), limit(rows_max)];
        let rows: Option<Vec<(SealedRow, Vec<u8>)>> = match sealed.by {
            By::Number => {
                let rows: Vec<(i64, Vec<u8>)> = self.rows(&sealed.waiting, values).await?;
                rows.into_iter().map(|(number, value)| Some((SealedRow::Number(number), value))).collect()
            }
            By::Key => {
                let rows: Vec<(Vec<u8>, Vec<u8>, Vec<u8>)> = self.rows(&sealed.waiting, values).await?;
                let row = |(organization, id, value): (Vec<u8>, Vec<u8>, Vec<u8>)| {
                    let organization = OrganizationId::from_slice(&organization)?;
                    Some((SealedRow::Key(organization, KeyId::from_slice(&id)?), value))
                };
                rows.into_iter().map(row).collect()
            }
            By::Thing => {
                let rows: Vec<(Vec<u8>, Vec<u8>)> = self.rows(&sealed.waiting, values).await?;
                let row =
                    |(id, value): (Vec<u8>, Vec<u8>)| Some((SealedRow::Thing(id.try_into().ok()?), value));
                rows.into_iter().map(row).collect()
            }
        };
        rows.ok_or(StoreError::Corrupt("a sealed value's row"))
    }
}

impl Ledger {
    /// Replaces a sealed value by the same, sealed anew; `false` when it is no longer the one that
    /// was read.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn reseal(
        &mut self,
        sealed: &Sealed,
        row: &SealedRow,
        before: &[u8],
        after: &[u8],
    ) -> Result<bool, StoreError> {
        let values = [Value::Bytes(Some(after)), row.value(), Value::Bytes(Some(before))];
        match row {
            // Else a restore would need every root key that there was since its backup.
            SealedRow::Key(_, id) => self.write(sealed.table, id.as_bytes(), &sealed.replace, values).await,
            SealedRow::Thing(id) => self.write(sealed.table, id, &sealed.replace, values).await,
            SealedRow::Number(_) => self.execute(&sealed.replace, values).await.map(|rows| rows > 0),
        }
    }
}
