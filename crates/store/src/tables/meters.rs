//! Meters: the credits and quota that remain to a lineage or a consumer, the uses of a key.

use crate::conn::{Conn, Ledger, Tx};
use crate::error::StoreError;
use crate::row::row;
use crate::statement::statements;
use crate::value::{Column, Unreadable, Value};
use keystead_domain::ids::{ConsumerId, KeyId, OrganizationId};
use keystead_domain::meter::{MeterId, UsesId};
use keystead_domain::route_limits::RouteMeterId;
use keystead_domain::time::Micros;

impl Column for MeterId {
    type Stored = Vec<u8>;
    const NULL: Value<'static> = Value::Bytes(None);

    fn value(&self) -> Value<'_> {
        match self {
            Self::Lineage(id) => id.value(),
            Self::Consumer(id) => id.value(),
            Self::Uses(id) => Value::Bytes(Some(id.as_bytes())),
            Self::Route(id) => Value::Bytes(Some(id.as_bytes())),
        }
    }

    fn load(stored: Vec<u8>) -> Result<Self, Unreadable> {
        // Their lengths tell them apart: 12 bytes, 13, 16 and 49.
        ConsumerId::from_slice(&stored)
            .map(Self::Consumer)
            .or_else(|| KeyId::from_slice(&stored).map(Self::Lineage))
            .or_else(|| UsesId::from_slice(&stored).map(Self::Uses))
            .or_else(|| RouteMeterId::from_slice(&stored).map(Self::Route))
            .ok_or(Unreadable("a meter's id"))
    }
}

row! {
    /// A meter. Leased blocks are taken off before they are spent.
    #[derive(Debug)]
    MeterRow {
        /// Whose it is.
        id: MeterId,
        /// In which organization.
        organization_id: OrganizationId,
        /// Credits not yet leased; none when credits are not limited.
        credits_remaining: Option<i64>,
        /// When they are next refilled.
        credits_refill_at: Option<Micros>,
        /// How much of the period's quota is leased.
        quota_used: i64,
        /// When the period ends.
        quota_resets_at: Option<Micros>,
        /// Counts how often new credits have replaced the account.
        credits_epoch: i64,
    }
}

macro_rules! columns {
    () => {
        "id, organization_id, credits_remaining, credits_refill_at, quota_used, quota_resets_at, credits_epoch"
    };
}

statements! {
    BY_ID(1) = concat!("SELECT ", columns!(), " FROM meters WHERE id = $1");
    INSERT(7) = concat!("INSERT INTO meters (", columns!(), ") VALUES ($1, $2, $3, $4, $5, $6, $7)");
    ENSURE(7) = concat!(
        "INSERT INTO meters (", columns!(), ") VALUES ($1, $2, $3, $4, $5, $6, $7) ",
        "ON CONFLICT (id) DO NOTHING",
    );
    // Writes nothing new, and so locks the row until the transaction's end on both engines.
    LOCK(1) = concat!("UPDATE meters SET id = id WHERE id = $1 RETURNING ", columns!());
    UPDATE(6) = "UPDATE meters SET credits_remaining = $1, credits_refill_at = $2, quota_used = $3, \
        quota_resets_at = $4, credits_epoch = $5 WHERE id = $6";
    DELETE(1) = "DELETE FROM meters WHERE id = $1";
}

impl Conn {
    /// A meter as it stands; what may change meanwhile.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn meter(&mut self, id: MeterId) -> Result<Option<MeterRow>, StoreError> {
        self.row(&BY_ID, [id.value()]).await
    }
}

impl Ledger {
    /// Adds a meter.
    ///
    /// # Errors
    /// [`StoreError::Unique`] when there is one, or when the database cannot answer.
    pub async fn insert_meter(&mut self, row: &MeterRow) -> Result<(), StoreError> {
        self.touch("meters", row.id.as_bytes());
        self.later(&INSERT, row.values()).await
    }

    /// Adds a meter unless there is one.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn ensure_meter(&mut self, row: &MeterRow) -> Result<(), StoreError> {
        self.write("meters", row.id.as_bytes(), &ENSURE, row.values()).await.map(|_| ())
    }

    /// A meter that nobody else changes before this transaction ends.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn lock_meter(&mut self, id: MeterId) -> Result<Option<MeterRow>, StoreError> {
        self.row(&LOCK, [id.value()]).await
    }

    /// Writes a meter that [`Self::lock_meter`] gave; `false` when there is none.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn update_meter(&mut self, row: &MeterRow) -> Result<bool, StoreError> {
        let values = [
            row.credits_remaining.value(),
            row.credits_refill_at.value(),
            row.quota_used.value(),
            row.quota_resets_at.value(),
            row.credits_epoch.value(),
            row.id.value(),
        ];
        self.write("meters", row.id.as_bytes(), &UPDATE, values).await
    }
}

impl Tx {
    /// Deletes a meter; `false` when there is none.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn delete_meter(&mut self, id: MeterId) -> Result<bool, StoreError> {
        self.write("meters", id.as_bytes(), &DELETE, [id.value()]).await
    }
}
