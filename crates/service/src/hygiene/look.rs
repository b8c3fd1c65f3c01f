//! Looking at one key: its row, what is resident of it, and what holds in its project.

use crate::guardrails::enforce::guard_of;
use crate::present::{self, json};
use crate::refused::Refused;
use crate::sightings::{FEW, MOST};
use crate::{Keystead, due_keys, management};
use keystead_api::{HygieneKey, KeyKind, KeyStatus, Seen};
use keystead_domain::cells::{Catalogue, ProjectCell};
use keystead_domain::effective::held_permissions;
use keystead_domain::entry::Entry;
use keystead_domain::guardrails::Guard;
use keystead_domain::hygiene::{self, Held, HygieneFacts, Overflowed, OwnerFacts, RECENT_DAYS};
use keystead_domain::ids::{OwnerId, RoleId};
use keystead_domain::policy::{Given, Grant};
use keystead_domain::reach::{Membership, Reach};
use keystead_domain::rotation::Rotation;
use keystead_domain::time::{DAY, Micros};
use keystead_store::{HygieneRow, Reader, RotationPlanRow};
use std::collections::HashMap;

/// What the keys of one project share.
pub(super) struct Ground {
    guard: Guard,
    plan: Option<RotationPlanRow>,
    /// When each role was last changed: before that it may have given less.
    roles: HashMap<RoleId, Micros>,
    /// Since when each permission is what it is in the catalogue: a pattern gave nothing of that name before.
    permissions: HashMap<String, Micros>,
}

impl Ground {
    pub(super) async fn read(reader: &mut Reader, project: &ProjectCell) -> Result<Self, Refused> {
        let roles = reader.roles_in(project.id).await?;
        let permissions = reader.permissions_in(project.id).await?;
        Ok(Self {
            guard: guard_of(reader, project).await?,
            plan: reader.rotation_plan(project.organization, project.id).await?,
            roles: roles.into_iter().map(|row| (row.id, row.updated_at)).collect(),
            permissions: permissions.into_iter().map(|row| (row.name, row.updated_at)).collect(),
        })
    }

    fn rotation_due(&self, kind: KeyKind, created_at: Micros) -> Option<Micros> {
        let plan =
            self.plan.as_ref().filter(|plan| plan.max_age_days.is_some() && kind != KeyKind::Temporary);
        let by_plan = plan.map(|plan| due_keys::due(plan, created_at));
        by_plan.into_iter().chain(self.guard.rotation_due(kind, created_at)).min()
    }

    /// What a key may do, and since when it surely may.
    fn held(&self, entry: &Entry, catalogue: &Catalogue, changed_at: Micros) -> Vec<Held> {
        let role = |grant: &Grant| match &grant.given {
            Given::Role(role) => self.roles.get(&role.id).copied(),
            Given::Permission(_) => None,
        };
        let since = entry.policy.grants.iter().filter_map(role).fold(changed_at, Micros::max);
        let system = entry.place.project.system;
        let (everywhere, narrowed) = held_permissions(entry);
        let everywhere = everywhere.into_iter().map(|name| (name, Vec::new()));
        let narrowed = narrowed.into_iter().map(|held| (held.permission, held.resources));
        let held = |(name, resources): (String, Vec<String>)| Held {
            sensitive: catalogue.is_sensitive(&name),
            since: self.permissions.get(&name).copied().unwrap_or(Micros::FOREVER).max(since),
            use_is_recorded: !(system
                && [management::KEYS_VERIFY, management::INSTALLATION_ADMIN].contains(&name.as_str())),
            name,
            resources,
        };
        everywhere.chain(narrowed).map(held).collect()
    }
}

impl Keystead {
    /// What is found of a key; `None` of one that is off, minted, being rotated away, or not known here.
    pub(super) fn look(
        &self,
        ground: &Ground,
        row: &HygieneRow,
        now: Micros,
    ) -> Result<Option<HygieneKey>, Refused> {
        let Some(entry) = self.keyring.get(row.id).filter(|entry| counts(entry, now)) else {
            return Ok(None);
        };
        let seen: Seen = row.seen.as_deref().map(json).transpose()?.unwrap_or_default();
        let (project, id, owner) = (&entry.place.project, row.id.to_string(), entry.owner.id.to_string());
        let catalogue = project.catalogue.load();
        let changed_at = changed_at(row);
        let held = ground.held(&entry, &catalogue, changed_at);
        let principals = entry.principals();
        let facts = HygieneFacts {
            id: &id,
            project: &project.slug,
            environment: &entry.place.slug,
            kind: entry.kind,
            usable_from: entry.not_before.max(changed_at),
            created_at: row.created_at,
            expires_at: Some(entry.expires_at).filter(|end| *end != Micros::FOREVER),
            rotation_due_at: ground.rotation_due(entry.kind, row.created_at),
            holds_all: holds_all(&entry, &catalogue, &held),
            has_roles: entry.policy.grants.iter().any(|grant| matches!(grant.given, Given::Role(_))),
            has_networks: entry.policy.restrictions.networks.as_ref().is_some_and(|rules| rules.narrows()),
            has_limits: !entry.policy.rules.is_empty()
                || principals.consumer().is_some_and(|consumer| !consumer.rules.is_empty()),
            owner: owner_facts(&entry, row, &owner),
            overflowed: Overflowed {
                networks: seen.networks.len() >= FEW,
                user_agents: seen.user_agents.len() >= FEW,
                permissions: seen.permissions.len() >= MOST,
            },
            // That it asked for verdicts is not recorded.
            use_is_recorded: !(project.system
                && held.iter().any(|held| held.name == management::KEYS_VERIFY)),
            has_minted: self.keyring.children(row.id) > 0
                || seen.minted_at.is_some_and(|at| now.since(Micros::from(at)) < RECENT_DAYS * DAY),
            held: &held,
            seen: &seen,
            now,
        };
        let findings = hygiene::judge(&facts);
        Ok(Some(HygieneKey {
            score: hygiene::key_score(&findings),
            administrative: facts.is_administrative(),
            name: row.name.clone(),
            start: row.start.clone(),
            project: project.slug.to_string(),
            environment: entry.place.slug.to_string(),
            kind: entry.kind,
            owner: present::owner(&entry.owner),
            consumer: entry.consumer.as_deref().map(present::consumer),
            created_at: row.created_at.to_timestamp(),
            last_used_at: seen.last_used_at,
            findings,
            id,
        }))
    }
}

/// When it, its owner or its consumer was last changed: before that it may have been off, or been given less.
fn changed_at(row: &HygieneRow) -> Micros {
    let others = [row.account_updated_at, row.owner_updated_at, row.consumer_updated_at];
    others.into_iter().flatten().fold(row.updated_at.max(row.created_at), Micros::max)
}

/// Whether it can be used, now or by itself later, and not only for what is left of its rotation; or stopped only
/// because its person is gone.
fn counts(entry: &Entry, now: Micros) -> bool {
    let on = matches!(entry.status(now), KeyStatus::Active | KeyStatus::Suspended | KeyStatus::NotYetValid);
    // Of a person's key that stopped with them it is said whose it was.
    let is_person = |owner: OwnerId| matches!(owner, OwnerId::Member(_) | OwnerId::Seat(_));
    on && entry.parent().is_none()
        && entry.disabled_principal().is_none_or(|principal| is_person(principal.id))
        && !entry.rotation().is_some_and(Rotation::is_old)
}

/// Whether `**` gives it everything that there is on every resource, and no ceiling takes any of it away.
fn holds_all(entry: &Entry, catalogue: &Catalogue, held: &[Held]) -> bool {
    let all = |grant: &Grant| {
        grant.resources.is_none()
            && match &grant.given {
                Given::Permission(pattern) => pattern.as_str() == "**",
                Given::Role(role) => role.permissions.load().iter().any(|pattern| pattern.as_str() == "**"),
            }
    };
    !held.is_empty()
        && entry.policy.grants.iter().any(all)
        && held.iter().filter(|held| held.resources.is_empty()).count() == catalogue.names().count()
}

fn person_facts(entry: &Entry) -> OwnerFacts<'static> {
    let state = entry.owner.state.load();
    match &state.reach {
        // Who is disabled is gone from every team.
        _ if state.disabled => OwnerFacts::Disabled,
        Reach::Seat { member, .. } if member.state.load().disabled => OwnerFacts::Disabled,
        Reach::Seat { membership: Membership { left_at: Some(at), .. }, .. } => OwnerFacts::Left { at: *at },
        _ => OwnerFacts::Person,
    }
}

fn owner_facts<'a>(entry: &Entry, row: &HygieneRow, id: &'a str) -> OwnerFacts<'a> {
    let is_said = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.trim().is_empty());
    match entry.owner.id {
        OwnerId::ServiceAccount(_) => OwnerFacts::ServiceAccount {
            id,
            of_project: row.account_project == Some(entry.place.project.id),
            is_described: is_said(&row.account_description),
        },
        OwnerId::Consumer(_) => OwnerFacts::Consumer { id, has_contact: is_said(&row.consumer_contact) },
        OwnerId::Member(_) | OwnerId::Seat(_) => person_facts(entry),
    }
}
