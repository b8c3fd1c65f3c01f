//! Rotations: which key takes over from which, and when the old one ends.

use crate::conn::{Conn, Tx};
use crate::error::StoreError;
use crate::row::row;
use crate::statement::statements;
use crate::tables::page::limit;
use crate::value::{Column, Unreadable, Value};
use keystead_domain::ids::{KeyId, OrganizationId};
use keystead_domain::time::Micros;

/// Keys whose rotations one statement reads.
const KEYS_CHUNK: usize = 16;

/// How far a rotation has come, as far as that is written; time goes on by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RotationStage {
    /// Both keys are there.
    Draining,
    /// The old key was ended, or its end was noted.
    Complete,
    /// The new key was dropped.
    Cancelled,
}

impl RotationStage {
    const NAMES: [(Self, &'static str); 3] =
        [(Self::Draining, "draining"), (Self::Complete, "complete"), (Self::Cancelled, "cancelled")];
}

impl Column for RotationStage {
    type Stored = String;
    const NULL: Value<'static> = Value::Text(None);

    fn value(&self) -> Value<'_> {
        Value::Text(Self::NAMES.iter().find(|(stage, _)| stage == self).map(|(_, name)| *name))
    }

    fn load(stored: String) -> Result<Self, Unreadable> {
        let named = Self::NAMES.iter().find(|(_, name)| *name == stored);
        named.map(|(stage, _)| *stage).ok_or(Unreadable("a rotation's state"))
    }
}

row! {
    /// A rotation.
    #[derive(Debug)]
    RotationRow {
        /// The key that takes over.
        new_key_id: KeyId,
        /// The key that is rotated away.
        old_key_id: KeyId,
        /// Whose they are.
        organization_id: OrganizationId,
        /// How far it has come.
        state: RotationStage,
        /// With a value, the old key lives on so long after the new one's first use.
        overlap_seconds: Option<i64>,
        /// When the old key would have expired: what a cancellation gives back.
        old_expires_at: Option<Micros>,
        /// When it was started.
        started_at: Micros,
        /// When the new key first passed, where that is waited for.
        first_used_at: Option<Micros>,
        /// When the old key ends.
        ends_at: Option<Micros>,
        /// When it was completed or cancelled.
        closed_at: Option<Micros>,
        /// Whether use of the old key after its end revokes the lineage.
        revoke_lineage_on_reuse: bool,
    }
}

macro_rules! columns {
    () => {
        "new_key_id, old_key_id, organization_id, state, overlap_seconds, old_expires_at, started_at, \
         first_used_at, ends_at, closed_at, revoke_lineage_on_reuse"
    };
}

statements! {
    INSERT(11) = concat!(
        "INSERT INTO rotations (", columns!(), ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    );
    OF_KEY(2) = concat!(
        "SELECT ", columns!(), " FROM rotations WHERE organization_id = $1 AND (old_key_id = $2 OR new_key_id = $2) ",
        "ORDER BY started_at DESC, new_key_id DESC",
    );
    OPEN_OF_KEYS(16) = concat!(
        "SELECT ", columns!(), " FROM rotations WHERE state = 'draining' AND (old_key_id IN ($1, $2, $3, $4, $5, $6, ",
        "$7, $8, $9, $10, $11, $12, $13, $14, $15, $16) OR new_key_id IN ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, ",
        "$11, $12, $13, $14, $15, $16))",
    );
    STANDING(0) = concat!("SELECT ", columns!(), " FROM rotations WHERE state <> 'cancelled'");
    ENDED(2) = concat!(
        "SELECT ", columns!(), " FROM rotations WHERE state = 'draining' AND coalesce(ends_at, old_expires_at) <= $1 ",
        "ORDER BY new_key_id LIMIT $2",
    );
    FIRST_USED(3) = "UPDATE rotations SET first_used_at = $1, ends_at = $2 WHERE new_key_id = $3 \
        AND state = 'draining' AND overlap_seconds IS NOT NULL AND first_used_at IS NULL";
    CLOSE(4) = "UPDATE rotations SET state = $1, ends_at = $2, closed_at = $3 WHERE new_key_id = $4 \
        AND state = 'draining'";
}

impl Conn {
    /// The rotations that a key is or was a part of, the latest first.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn rotations_of(
        &mut self,
        organization: OrganizationId,
        key: KeyId,
    ) -> Result<Vec<RotationRow>, StoreError> {
        self.rows(&OF_KEY, [organization.value(), key.value()]).await
    }

    /// The rotations of any of these keys that were not ended by anybody; time may have ended them.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn open_rotations_of(&mut self, keys: &[KeyId]) -> Result<Vec<RotationRow>, StoreError> {
        let mut found = Vec::new();
        for chunk in keys.chunks(KEYS_CHUNK) {
            let Some(last) = chunk.last() else { continue };
            // The same statement for every length: the last key fills the places left.
            let mut values = [last.value(); KEYS_CHUNK];
            for (place, key) in values.iter_mut().zip(chunk) {
                *place = key.value();
            }
            found.extend(self.rows(&OPEN_OF_KEYS, values).await?);
        }
        Ok(found)
    }

    /// Every rotation of every organization that was not cancelled, for the keyring.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn all_rotations(&mut self) -> Result<Vec<RotationRow>, StoreError> {
        self.rows(&STANDING, []).await
    }

    /// Rotations whose old key has ended by then and whose end was not noted.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn ended_rotations(
        &mut self,
        now: Micros,
        rows_max: u32,
    ) -> Result<Vec<RotationRow>, StoreError> {
        self.rows(&ENDED, [now.value(), limit(rows_max)]).await
    }
}

impl Tx {
    /// Adds a rotation.
    ///
    /// # Errors
    /// [`StoreError::Unique`] when the old key is being rotated already, or when the database cannot
    /// answer.
    pub async fn insert_rotation(&mut self, row: &RotationRow) -> Result<(), StoreError> {
        self.write("rotations", row.new_key_id.as_bytes(), &INSERT, row.values()).await.map(|_| ())
    }

    /// Notes the first use of a rotation's new key, and when the old one ends for it; `false` when
    /// nobody waits for that.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn note_first_use(
        &mut self,
        new_key: KeyId,
        at: Micros,
        ends_at: Micros,
    ) -> Result<bool, StoreError> {
        let values = [at.value(), ends_at.value(), new_key.value()];
        self.write("rotations", new_key.as_bytes(), &FIRST_USED, values).await
    }

    /// Completes or cancels a rotation, by its new key; `false` when it is not draining.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn close_rotation(
        &mut self,
        new_key: KeyId,
        stage: RotationStage,
        ends_at: Option<Micros>,
        at: Micros,
    ) -> Result<bool, StoreError> {
        let values = [stage.value(), ends_at.value(), at.value(), new_key.value()];
        self.write("rotations", new_key.as_bytes(), &CLOSE, values).await
    }
}
