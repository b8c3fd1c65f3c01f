//! Bringing a committed change of a key into the keyring, with whatever the key refers to and is not there yet.

use crate::Keystead;
use crate::cells;
use crate::present::json;
use crate::refused::Refused;
use keystead_domain::ids::{KeyId, OrganizationId, OwnerId, RoleId};
use keystead_domain::meter::MeterId;
use keystead_domain::policy::PolicySpec;
use keystead_store::{Change, ChangeKind, KeyRow, Reader, RotationRow};

impl Keystead {
    /// Reads a key again and swaps it in, while its turn is held.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) async fn apply_key(&self, organization: OrganizationId, id: KeyId) -> Result<(), Refused> {
        let mut reader = self.store.read().await?;
        let Some(row) = reader.key(organization, id).await? else {
            self.keyring.remove(id);
            return Ok(());
        };
        let directory = &self.keyring.directory;
        let rotations = self.rotations_beside(&mut reader, &row).await?;
        // One that was just minted has none.
        let is_minted = row.parent_id.is_some() && row.version == 1;
        let tags = if is_minted { Vec::new() } else { reader.key_tags(id).await? };
        let tags = cells::tags(tags);
        let policy = match directory.policy(organization, row.policy_hash) {
            Some(policy) => {
                drop(reader);
                policy
            }
            None => {
                let body = reader.policy(organization, &row.policy_hash).await?;
                let body = body.ok_or_else(|| Refused::Internal("a key without its policy".into()))?;
                // Who holds a connection must not wait for another.
                drop(reader);
                self.apply_roles_of(organization, &body).await?;
                directory.put_policy(organization, row.policy_hash, cells::compile_policy(directory, &body)?)
            }
        };
        self.apply_shared_of(organization, &row).await?;
        // A key that is new here takes part in the counters of the one that it takes over from.
        let others = rotations.iter().map(|row| row.old_key_id).chain([row.lineage_id]);
        let before = std::iter::once(id).chain(others).find_map(|id| self.keyring.get(id));
        let has_credits = policy.rules.credits.is_some();
        let parent = row.parent_id.map(|id| self.keyring.parent_cell(id));
        let rotation = cells::rotation(id, &rotations);
        let row_resident = cells::resident(&row);
        let entry =
            cells::entry(directory, &row_resident, policy, (parent, rotation, tags), before.as_ref())?;
        if has_credits && before.is_some() {
            // Another node may have replaced the credits of which this one holds a block.
            let meter = self.store.read().await?.meter(MeterId::Lineage(row.lineage_id)).await?;
            entry.lineage.meter.see_credits(meter.map_or(0, |meter| meter.credits_epoch));
        }
        self.keyring.put(entry);
        // Only a token that others issued does not begin with its key's id.
        if !row.start.ends_with(id.digits())
            && let Some(import) = self.store.read().await?.import_of(organization, id).await?
        {
            self.keyring.imports.put(id, cells::import(import)?);
        }
        Ok(())
    }

    /// What the key refers to may have been made by another node, and may not have been heard of.
    async fn apply_shared_of(&self, organization: OrganizationId, row: &KeyRow) -> Result<(), Refused> {
        let directory = &self.keyring.directory;
        let mut missing = Vec::new();
        if directory.place_by_id(row.environment_id).is_none() {
            missing.push(Change::new(organization, ChangeKind::Environment, row.environment_id.0));
        }
        for owner in [Some(row.owner), row.consumer_id.map(OwnerId::Consumer)].into_iter().flatten() {
            if directory.principal(owner).is_none() {
                missing.extend(self.change_of(organization, owner).await?);
            }
        }
        self.apply_missing(missing).await
    }

    /// What to read again to have an owner.
    async fn change_of(
        &self,
        organization: OrganizationId,
        owner: OwnerId,
    ) -> Result<Option<Change>, Refused> {
        Ok(Some(match owner {
            OwnerId::ServiceAccount(id) => Change::new(organization, ChangeKind::ServiceAccount, id.0),
            OwnerId::Consumer(id) => Change::new(organization, ChangeKind::Consumer, id.0),
            OwnerId::Member(id) => Change::new(organization, ChangeKind::Member, id.0),
            OwnerId::Seat(id) => {
                let seat = self.store.read().await?.seat(organization, id).await?;
                return Ok(seat.map(|seat| Change::new(organization, ChangeKind::Member, seat.member_id.0)));
            }
        }))
    }

    async fn apply_roles_of(&self, organization: OrganizationId, policy: &str) -> Result<(), Refused> {
        let spec: PolicySpec = json(policy)?;
        let ids = spec.roles.iter().filter_map(|role| role.id.parse::<RoleId>().ok());
        let unknown = ids.filter(|id| self.keyring.directory.role(*id).is_none());
        let missing = unknown.map(|id| Change::new(organization, ChangeKind::Role, id.0)).collect();
        self.apply_missing(missing).await
    }

    /// The rotations of a key. One that was just made, as the first of its lineage, has none, and one that was minted
    /// never has any.
    async fn rotations_beside(&self, reader: &mut Reader, row: &KeyRow) -> Result<Vec<RotationRow>, Refused> {
        if row.parent_id.is_some() || row.version == 1 && row.lineage_id == row.id {
            return Ok(Vec::new());
        }
        Ok(reader.rotations_of(row.organization_id, row.id).await?)
    }
}
