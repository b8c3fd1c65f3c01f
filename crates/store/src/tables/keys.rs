//! Keys: what was issued, without what opens anything.

use crate::conn::{Conn, Tx};
use crate::error::StoreError;
use crate::row::row;
use crate::statement::statements;
use crate::tables::page::limit;
use crate::value::{Column, Unreadable, Value};
use keystead_domain::ids::{
    ConsumerId, EnvironmentId, KeyId, MemberId, OrganizationId, OwnerId, ProjectId, RoleId, SeatId,
    ServiceAccountId,
};
use keystead_domain::meter::{MeterId, UsesId};
use keystead_domain::time::Micros;
use std::collections::BTreeSet;
use std::fmt;

row! {
    /// A key.
    KeyRow {
        /// Its id: the public digits of its token.
        id: KeyId,
        /// Whose it is.
        organization_id: OrganizationId,
        /// Its environment.
        environment_id: EnvironmentId,
        /// Its lineage, by the lineage's first key; its own id when it is that.
        lineage_id: KeyId,
        /// `private`, `public`, `partner` or `temporary`.
        kind: String,
        /// Of its token.
        digest: [u8; 32],
        /// Which pepper made the digest.
        pepper_version: i64,
        /// Whose it is within the organization.
        owner: OwnerId,
        /// The consumer that it was issued to.
        consumer_id: Option<ConsumerId>,
        /// What it was granted and how it is restricted.
        policy_hash: [u8; 32],
        /// Whether it is refused until it is enabled again.
        disabled: bool,
        /// It is refused before this instant.
        suspended_until: Option<Micros>,
        /// When it was revoked, for good.
        revoked_at: Option<Micros>,
        /// It is not yet valid before this instant.
        not_before: Option<Micros>,
        /// It is no longer valid from this instant on.
        expires_at: Option<Micros>,
        /// The project of its environment.
        project_id: ProjectId,
        /// Its name.
        name: String,
        /// How its token begins: prefix, tag and id.
        start: String,
        /// Why it was revoked.
        revoked_reason: Option<String>,
        /// What its maker attached to it, as JSON.
        metadata: Option<String>,
        /// When it was made.
        created_at: Micros,
        /// Through which key it was made.
        created_by: Option<KeyId>,
        /// From which address it was made.
        created_from: Option<String>,
        /// When it was last changed.
        updated_at: Micros,
        /// Counts its changes; an update names the one that it expects.
        version: i64,
        /// The key that it was minted from; a name, that one may be purged.
        parent_id: Option<KeyId>,
        /// How many requests it may pass in all.
        uses: Option<i64>,
        /// Whether its holder may mint from it, where that is not what its kind says.
        may_mint: Option<bool>,
    }
}

impl fmt::Debug for KeyRow {
    /// Without digest and metadata.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRow").field("id", &self.id).field("version", &self.version).finish_non_exhaustive()
    }
}

macro_rules! columns {
    () => {
        "id, organization_id, environment_id, lineage_id, kind, digest, pepper_version, owner, consumer_id, \
         policy_hash, disabled, suspended_until, revoked_at, not_before, expires_at, project_id, name, start, \
         revoked_reason, metadata, created_at, created_by, created_from, updated_at, version, parent_id, uses, \
         may_mint"
    };
}
pub(super) use columns;

statements! {
    INSERT(33) = concat!(
        "INSERT INTO keys (", columns!(), ", search, owner_account, owner_consumer, owner_member, owner_seat) ",
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, ",
        "$21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33)",
    );
    UPDATE(22) = "UPDATE keys SET owner = $1, consumer_id = $2, policy_hash = $3, disabled = $4, \
        suspended_until = $5, revoked_at = $6, not_before = $7, expires_at = $8, name = $9, \
        revoked_reason = $10, metadata = $11, updated_at = $12, version = $13, search = $14, \
        owner_account = $15, owner_consumer = $16, owner_member = $17, owner_seat = $18, may_mint = $19 \
        WHERE id = $20 AND organization_id = $21 AND version = $22";
    BY_ID(2) = concat!("SELECT ", columns!(), " FROM keys WHERE organization_id = $1 AND id = $2");
    // Writes nothing new, and so locks the row until the transaction's end on both engines.
    LOCK(2) = "UPDATE keys SET version = version WHERE organization_id = $1 AND id = $2";
    ORGANIZATION(1) = "SELECT organization_id FROM keys WHERE id = $1";
    // Tags and references go with it.
    DELETE(2) = "DELETE FROM keys WHERE organization_id = $1 AND id = $2 RETURNING lineage_id, uses";
    FORGET_METER(1) =
        "DELETE FROM meters WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM keys WHERE keys.lineage_id = $1)";
    FORGET_SEEN(1) =
        "DELETE FROM seen WHERE lineage_id = $1 AND NOT EXISTS (SELECT 1 FROM keys WHERE keys.lineage_id = $1)";
    FORGET_USES(1) = "DELETE FROM meters WHERE id = $1";
    FORGET_ROTATIONS(1) =
        "DELETE FROM rotations WHERE new_key_id = $1 OR old_key_id = $1 RETURNING new_key_id";
    FORGET_DRAINS(1) = "DELETE FROM drain_seen WHERE key_id = $1";
    LIVING(3) = concat!("SELECT ", columns!(), " FROM keys WHERE organization_id = $1 AND lineage_id = $2 AND parent_id IS NULL AND revoked_at IS NULL ORDER BY id LIMIT $3");
    OWNED(3) = concat!("SELECT ", columns!(), " FROM keys WHERE organization_id = $1 AND owner = $2 ORDER BY created_at, id LIMIT $3");
    OF_OWNER(1) = "SELECT count(*) FROM keys WHERE owner = $1";
    OF_CONSUMER(1) = "SELECT count(*) FROM keys WHERE consumer_id = $1";
    IN_ENVIRONMENT(1) = "SELECT count(*) FROM keys WHERE environment_id = $1";
}

/// What a text is searched in: the name and the written id. Folded here, in ASCII only, because the
/// engines fold differently.
fn search(row: &KeyRow) -> String {
    let mut text = format!("{}\n{}", row.name, row.id);
    text.make_ascii_lowercase();
    text
}

/// The owner as a reference to the table that it is in: it cannot be deleted while a key is being
/// given to it.
#[derive(Default)]
struct References {
    account: Option<ServiceAccountId>,
    consumer: Option<ConsumerId>,
    member: Option<MemberId>,
    seat: Option<SeatId>,
}

impl References {
    fn of(owner: OwnerId) -> Self {
        match owner {
            OwnerId::ServiceAccount(id) => Self { account: Some(id), ..Self::default() },
            OwnerId::Consumer(id) => Self { consumer: Some(id), ..Self::default() },
            OwnerId::Member(id) => Self { member: Some(id), ..Self::default() },
            OwnerId::Seat(id) => Self { seat: Some(id), ..Self::default() },
        }
    }
}

impl Conn {
    /// An organization's key by its id.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn key(
        &mut self,
        organization: OrganizationId,
        id: KeyId,
    ) -> Result<Option<KeyRow>, StoreError> {
        self.row(&BY_ID, [organization.value(), id.value()]).await
    }

    /// Whose the key with this id is.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn organization_of_key(&mut self, id: KeyId) -> Result<Option<OrganizationId>, StoreError> {
        let row = self.row::<(Vec<u8>,), 1>(&ORGANIZATION, [id.value()]).await?;
        row.map(|(id,)| OrganizationId::load(id).map_err(|Unreadable(what)| StoreError::Corrupt(what)))
            .transpose()
    }

    /// A lineage's keys that were not revoked, so many at most, without those that were minted from them and
    /// stop with them; in the order in which keys are locked.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn living_of_lineage(
        &mut self,
        organization: OrganizationId,
        lineage: KeyId,
        rows_max: u32,
    ) -> Result<Vec<KeyRow>, StoreError> {
        self.rows(&LIVING, [organization.value(), lineage.value(), limit(rows_max)]).await
    }

    /// The keys of an owner, oldest first, so many at most.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn keys_owned(
        &mut self,
        organization: OrganizationId,
        owner: OwnerId,
        rows_max: u32,
    ) -> Result<Vec<KeyRow>, StoreError> {
        self.rows(&OWNED, [organization.value(), owner.value(), limit(rows_max)]).await
    }

    /// How many unpurged keys have that owner.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn keys_of_owner(&mut self, owner: OwnerId) -> Result<i64, StoreError> {
        self.number(&OF_OWNER, [owner.value()]).await
    }

    /// How many unpurged keys were issued to that consumer.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn keys_of_consumer(&mut self, consumer: ConsumerId) -> Result<i64, StoreError> {
        self.number(&OF_CONSUMER, [consumer.value()]).await
    }

    /// How many unpurged keys are in that environment.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn keys_in_environment(&mut self, environment: EnvironmentId) -> Result<i64, StoreError> {
        self.number(&IN_ENVIRONMENT, [environment.value()]).await
    }
}

impl Tx {
    /// Adds a key. Its policy must be there: see [`Self::insert_policy`].
    ///
    /// # Errors
    /// [`StoreError::Unique`] when its id is taken, [`StoreError::Referenced`] when its environment,
    /// consumer, policy or a role is not there, or when the database cannot answer.
    pub async fn insert_key(
        &mut self,
        row: &KeyRow,
        tags: &[String],
        role_ids: &[RoleId],
        exact_permissions: &[String],
    ) -> Result<(), StoreError> {
        let (search, References { account, consumer, member, seat }) =
            (search(row), References::of(row.owner));
        let derived = [search.value(), account.value(), consumer.value(), member.value(), seat.value()];
        let mut values = [Value::Int(None); KeyRow::WIDTH + 5];
        for (place, value) in values.iter_mut().zip(row.values().into_iter().chain(derived)) {
            *place = value;
        }
        self.touch("keys", row.id.as_bytes());
        self.later(&INSERT, values).await?;
        self.add_key_tags(row.id, tags).await?;
        self.add_key_references(row.id, role_ids, exact_permissions).await?;
        self.flush().await
    }

    /// Locks a key until the transaction's end, so that what is read of it now is what will be
    /// changed: of two acts at once the second comes after the first, and neither is refused.
    /// `false` when there is none.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn lock_key(&mut self, organization: OrganizationId, id: KeyId) -> Result<bool, StoreError> {
        self.execute(&LOCK, [organization.value(), id.value()]).await.map(|rows| rows > 0)
    }

    /// The same of several keys, in the order of their ids: of two acts that need the same keys in other
    /// orders, each would wait for the other.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn lock_keys(
        &mut self,
        organization: OrganizationId,
        ids: impl IntoIterator<Item = KeyId>,
    ) -> Result<(), StoreError> {
        for id in ids.into_iter().collect::<BTreeSet<_>>() {
            self.later(&LOCK, [organization.value(), id.value()]).await?;
        }
        self.flush().await
    }

    /// Writes what can change of a key; `false` when its version is no longer the expected one, or
    /// there is none. Its id, lineage, kind, digest, environment, making, parent and uses never change.
    ///
    /// # Errors
    /// [`StoreError::Referenced`] when its consumer or policy is not there, or when the database
    /// cannot answer.
    pub async fn update_key(&mut self, row: &KeyRow, expected_version: i64) -> Result<bool, StoreError> {
        let (search, References { account, consumer, member, seat }) =
            (search(row), References::of(row.owner));
        let values = [
            row.owner.value(),
            row.consumer_id.value(),
            row.policy_hash.value(),
            row.disabled.value(),
            row.suspended_until.value(),
            row.revoked_at.value(),
            row.not_before.value(),
            row.expires_at.value(),
            row.name.value(),
            row.revoked_reason.value(),
            row.metadata.value(),
            row.updated_at.value(),
            row.version.value(),
            search.value(),
            account.value(),
            consumer.value(),
            member.value(),
            seat.value(),
            row.may_mint.value(),
            row.id.value(),
            row.organization_id.value(),
            expected_version.value(),
        ];
        self.write("keys", row.id.as_bytes(), &UPDATE, values).await
    }

    /// Deletes a key with its tags and references; with the last key of a lineage goes what was
    /// metered and seen of it. `false` when there is none.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn delete_key(&mut self, organization: OrganizationId, id: KeyId) -> Result<bool, StoreError> {
        let deleted =
            self.row::<(Vec<u8>, Option<i64>), 2>(&DELETE, [organization.value(), id.value()]).await?;
        let Some((lineage, uses)) = deleted else {
            return Ok(false);
        };
        for table in ["keys", "key_tags", "key_roles", "key_grants", "public_keys", "imports"] {
            self.touch(table, id.as_bytes());
        }
        if uses.is_some() {
            let uses = UsesId::of(id);
            self.write("meters", uses.as_bytes(), &FORGET_USES, [MeterId::Uses(uses).value()]).await?;
        }
        let rotations: Vec<(Vec<u8>,)> = self.rows(&FORGET_ROTATIONS, [id.value()]).await?;
        for (rotation,) in rotations {
            self.touch("rotations", rotation);
        }
        self.execute(&FORGET_DRAINS, [id.value()]).await?;
        self.write("meters", &lineage, &FORGET_METER, [lineage.value()]).await?;
        self.execute(&FORGET_SEEN, [lineage.value()]).await?;
        Ok(true)
    }
}
