//! A key as the API shows it: everything but the secret.

use crate::Keystead;
use crate::present::{self, json};
use crate::refused::Refused;
use keystead_api::{
    CreditsStatus, Key, KeyKind, KeyStatus, NarrowedRole, Revocation, RoleGrant, Rotating, UsesStatus,
};
use keystead_domain::calendar::CreditsRule;
use keystead_domain::cells::Place;
use keystead_domain::entry::Entry;
use keystead_domain::ids::{OwnerId, RoleId};
use keystead_domain::lease::CreditsAccount;
use keystead_domain::meter::{MeterId, UsesId};
use keystead_domain::policy::{PolicySpec, RoleSpec};
use keystead_domain::time::Micros;
use keystead_store::{Conn, KeyRow, MeterRow};

/// What a key's row does not hold.
#[derive(Debug, Default)]
pub(crate) struct Beside<'a> {
    pub(crate) tags: Vec<String>,
    pub(crate) meter: Option<&'a MeterRow>,
    pub(crate) uses: Option<&'a MeterRow>,
    pub(crate) last_used_at: Option<Micros>,
    pub(crate) rotating: Option<Rotating>,
}

impl Keystead {
    /// The key that a row is, with what its cells say of owner, consumer and roles.
    pub(crate) fn view(&self, row: &KeyRow, spec: &PolicySpec, beside: Beside<'_>) -> Result<Key, Refused> {
        let directory = &self.keyring.directory;
        let missing = |what| Refused::Internal(format!("{} refers to a missing {what}", row.id));
        let place = directory.place_by_id(row.environment_id).ok_or_else(|| missing("environment"))?;
        let owner = directory.principal(row.owner).ok_or_else(|| missing("owner"))?;
        let consumer = match row.consumer_id {
            Some(id) => Some(directory.principal(OwnerId::Consumer(id)).ok_or_else(|| missing("consumer"))?),
            None => None,
        };
        let now = self.clock.now();
        let instant = |at: Option<Micros>| at.map(Micros::to_timestamp);
        Ok(Key {
            id: row.id.to_string(),
            name: row.name.clone(),
            start: row.start.clone(),
            project: place.project.slug.to_string(),
            environment: place.slug.to_string(),
            kind: KeyKind::named(&row.kind).ok_or_else(|| missing("kind"))?,
            status: self.status(row, now),
            parent: row.parent_id.map(|id| id.to_string()),
            uses: self.uses(row, beside.uses, now),
            rotating: beside.rotating,
            may_mint: may_mint(row, &place),
            owner: present::owner(&owner),
            consumer: consumer.as_deref().map(present::consumer),
            permissions: spec.permissions.clone(),
            roles: spec.roles.iter().map(|role| self.role_grant(role)).collect(),
            restrictions: spec.restrictions.clone(),
            limits: spec.limits.clone(),
            quota: spec.quota.clone(),
            credits: self.credits(row, spec, beside.meter, now),
            not_before: instant(row.not_before),
            expires_at: instant(row.expires_at),
            suspended_until: instant(row.suspended_until.filter(|until| now < *until)),
            revocation: row.revoked_at.map(|at| Revocation {
                at: at.to_timestamp(),
                reason: row.revoked_reason.clone().unwrap_or_default(),
            }),
            tags: beside.tags,
            metadata: row.metadata.as_deref().map_or_else(|| Ok(serde_json::Map::new()), json)?,
            last_used_at: instant(beside.last_used_at),
            created_at: row.created_at.to_timestamp(),
            created_by: row.created_by.map(|id| id.to_string()),
            created_from: row.created_from.clone(),
            updated_at: row.updated_at.to_timestamp(),
            version: row.version,
        })
    }

    /// A role by its name, as it was given; by its id after it was deleted.
    fn role_grant(&self, role: &RoleSpec) -> RoleGrant {
        let cell = role.id.parse::<RoleId>().ok().and_then(|id| self.keyring.directory.role(id));
        let name = cell.map_or_else(|| role.id.clone(), |cell| cell.name.to_string());
        if role.resources.is_empty() {
            RoleGrant::Everywhere(name)
        } else {
            RoleGrant::Narrowed(NarrowedRole { role: name, resources: role.resources.clone() })
        }
    }

    /// Its own status; where nothing of its own is in the way, its parent's.
    fn status(&self, row: &KeyRow, now: Micros) -> KeyStatus {
        match (status(row, now), row.parent_id) {
            (KeyStatus::Active, Some(parent)) => {
                self.keyring.get(parent).map_or(KeyStatus::Revoked, |parent| parent.status(now))
            }
            (status, _) => status,
        }
    }

    /// What is left of its uses, in the store and in the block that this process holds.
    fn uses(&self, row: &KeyRow, meter: Option<&MeterRow>, now: Micros) -> Option<UsesStatus> {
        let total = crate::accounts::unsigned(row.uses?);
        let stored = meter.and_then(|meter| meter.credits_remaining).map_or(0, crate::accounts::unsigned);
        let entry = self.keyring.get(row.id);
        let held =
            entry.as_ref().and_then(Entry::uses).map_or(0, |uses| uses.meter.show_blocks().credits.held(now));
        Some(UsesStatus { total, remaining: stored.saturating_add(held) })
    }

    /// What is left in the store and in the block that this process holds.
    fn credits(
        &self,
        row: &KeyRow,
        spec: &PolicySpec,
        meter: Option<&MeterRow>,
        now: Micros,
    ) -> Option<CreditsStatus> {
        let credits = spec.credits?;
        let rule = CreditsRule { refill: credits.refill, amount: credits.amount };
        let account = meter.map(|meter| CreditsAccount {
            remaining: crate::accounts::unsigned(meter.credits_remaining.unwrap_or(0)),
            refill_at: meter.credits_refill_at,
        });
        let account = account.map(|account| account.at(&rule, now));
        // A key that is just being made holds what the one that it takes over from holds.
        let entry = self.keyring.get(row.id).or_else(|| self.keyring.get(row.lineage_id));
        let held = entry.map_or(0, |entry| entry.lineage.meter.show_blocks().credits.held(now));
        Some(CreditsStatus {
            remaining: account.map_or(0, |account| account.remaining).saturating_add(held),
            refill: rule.refill,
            amount: rule.amount,
            refills_at: account.and_then(|account| account.refill_at).map(Micros::to_timestamp),
        })
    }
}

/// What a key was granted and how it is restricted, as stored.
pub(crate) async fn spec_of(conn: &mut Conn, row: &KeyRow) -> Result<PolicySpec, Refused> {
    let body = conn.policy(row.organization_id, &row.policy_hash).await?;
    json(&body.ok_or_else(|| Refused::Internal(format!("{} has no policy", row.id)))?)
}

/// The account of a key's uses, where it has a number of them.
pub(crate) async fn uses_of(conn: &mut Conn, row: &KeyRow) -> Result<Option<MeterRow>, Refused> {
    match row.uses {
        Some(_) => Ok(conn.meter(MeterId::Uses(UsesId::of(row.id))).await?),
        None => Ok(None),
    }
}

/// As [`Entry::may_mint`].
fn may_mint(row: &KeyRow, place: &Place) -> bool {
    let by_kind = row.kind == KeyKind::Private.as_str();
    let may = row.may_mint.unwrap_or(by_kind);
    may && !place.project.system && row.parent_id.is_none() && row.uses.is_none()
}

/// The first that applies, as in [`keystead_domain::entry::Entry::status`].
fn status(row: &KeyRow, now: Micros) -> KeyStatus {
    if row.revoked_at.is_some() {
        KeyStatus::Revoked
    } else if row.disabled {
        KeyStatus::Disabled
    } else if row.suspended_until.is_some_and(|until| now < until) {
        KeyStatus::Suspended
    } else if row.not_before.is_some_and(|from| now < from) {
        KeyStatus::NotYetValid
    } else if row.expires_at.is_some_and(|end| now >= end) {
        KeyStatus::Expired
    } else {
        KeyStatus::Active
    }
}
