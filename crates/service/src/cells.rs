//! Rows made into the cells and entries that verification uses.

use crate::keyring::imports::Import;
use crate::keyring::{Company, Directory};
use crate::present::json;
use crate::refused::Refused;
use arc_swap::ArcSwap;
use keystead_api::{AuthorityGrant, KeyKind};
use keystead_domain::authority::Authority;
use keystead_domain::cells::{Catalogue, Flags, Place, Principal, PrincipalState, ProjectCell, RoleCell};
use keystead_domain::conditions::ConditionCell;
use keystead_domain::digest::Digest;
use keystead_domain::entry::{Entry, Lineage, Switch};
use keystead_domain::foreign::Form;
use keystead_domain::ids::{KeyId, OrganizationId, OwnerId};
use keystead_domain::meter::{Meter, MeterRules};
use keystead_domain::pattern::PermissionSet;
use keystead_domain::policy::{Policy, PolicySpec};
use keystead_domain::reach::{Membership, Reach, TeamState};
use keystead_domain::rotation::{Once, Part, Rotation};
use keystead_domain::special::{ParentCell, Special, Uses};
use keystead_domain::time::Micros;
use keystead_store::{
    ConsumerRow, EnvironmentRow, ImportRow, KeyResident, KeyRow, MemberRow, PermissionRow, ProjectRow,
    RoleRow, RotationRow, RotationStage, SeatRow, ServiceAccountRow, TeamRow,
};
use std::sync::Arc;

/// A key's tags, sorted.
pub(crate) type Tags = Box<[Box<str>]>;

pub(crate) fn project(row: &ProjectRow, permissions: &[PermissionRow]) -> ProjectCell {
    ProjectCell {
        id: row.id,
        organization: row.organization_id,
        slug: row.slug.as_str().into(),
        system: row.system,
        resource: format!("projects/{}", row.id).into(),
        prefix: ArcSwap::from_pointee(row.prefix.as_str().into()),
        catalogue: Arc::new(catalogue(permissions)).into(),
        conditions: ConditionCell::default(),
    }
}

pub(crate) fn catalogue(permissions: &[PermissionRow]) -> Catalogue {
    let mut catalogue = Catalogue::default();
    for row in permissions {
        catalogue.insert(&row.name, Flags { public_safe: row.public_safe, sensitive: row.sensitive });
    }
    catalogue
}

pub(crate) fn place(row: &EnvironmentRow, project: Arc<ProjectCell>) -> Place {
    Place {
        environment: row.id,
        slug: row.slug.as_str().into(),
        tag: row.tag.as_str().into(),
        resource: format!("projects/{}/environments/{}", row.project_id, row.id).into(),
        project,
    }
}

pub(crate) fn role_permissions(row: &RoleRow) -> Result<PermissionSet, Refused> {
    Ok(PermissionSet::parse(&json::<Vec<String>>(&row.permissions)?)?)
}

pub(crate) fn role(row: &RoleRow) -> Result<RoleCell, Refused> {
    Ok(RoleCell {
        id: row.id,
        name: row.name.as_str().into(),
        permissions: Arc::new(role_permissions(row)?).into(),
    })
}

fn ceiling(text: Option<&str>) -> Result<Reach, Refused> {
    let Some(text) = text else { return Ok(Reach::Anything) };
    Ok(Reach::Within(PermissionSet::parse(&json::<Vec<String>>(text)?)?))
}

/// What a member or team was granted; roles are looked up.
pub(crate) fn authority(directory: &Directory, grants: &str) -> Result<Authority, Refused> {
    Ok(Authority::compile(&json::<Vec<AuthorityGrant>>(grants)?, |id| directory.role(id))?)
}

pub(crate) fn team_state(directory: &Directory, row: &TeamRow) -> Result<TeamState, Refused> {
    Ok(TeamState { name: row.name.as_str().into(), authority: authority(directory, &row.grants)? })
}

/// A seat's team must be in the directory.
fn membership(directory: &Directory, row: &SeatRow) -> Result<Membership, Refused> {
    let team = directory
        .team(row.team_id)
        .ok_or_else(|| Refused::Internal(format!("{} refers to a missing team", row.id)))?;
    Ok(Membership { team, left_at: row.left_at })
}

pub(crate) fn member_state(
    directory: &Directory,
    row: &MemberRow,
    seats: &[SeatRow],
) -> Result<PrincipalState, Refused> {
    let teams = seats.iter().map(|seat| membership(directory, seat)).collect::<Result<_, _>>()?;
    let own = authority(directory, &row.grants)?;
    Ok(person(row, row.disabled, Reach::Member { own, teams }))
}

/// A person in a team's name.
pub(crate) fn seat_state(
    directory: &Directory,
    row: &MemberRow,
    seat: &SeatRow,
    member: Arc<Principal>,
) -> Result<PrincipalState, Refused> {
    let membership = membership(directory, seat)?;
    // Whether the person is disabled is asked of the person.
    Ok(person(row, false, Reach::Seat { member, membership }))
}

fn person(row: &MemberRow, disabled: bool, reach: Reach) -> PrincipalState {
    PrincipalState {
        name: row.name.as_str().into(),
        external_id: None,
        reach,
        disabled,
        rules: MeterRules::default(),
        meter: Arc::default(),
    }
}

pub(crate) fn account_state(row: &ServiceAccountRow) -> Result<PrincipalState, Refused> {
    Ok(PrincipalState {
        name: row.name.as_str().into(),
        external_id: None,
        reach: ceiling(row.ceiling.as_deref())?,
        disabled: row.disabled,
        rules: MeterRules::default(),
        meter: Arc::default(),
    })
}

/// `before` keeps the counts of limits that keep their names.
pub(crate) fn consumer_state(
    row: &ConsumerRow,
    before: Option<&PrincipalState>,
) -> Result<PrincipalState, Refused> {
    let limits: Vec<keystead_api::LimitSpec> = json(&row.limits)?;
    let quota: Option<keystead_api::QuotaSpec> = row.quota.as_deref().map(json).transpose()?;
    let rules = MeterRules::compile(&limits, quota.as_ref(), None)?;
    let meter = match before {
        Some(before) if before.rules == rules => Arc::clone(&before.meter),
        Some(before) => Arc::new(before.meter.carried(&before.rules, &rules)),
        None => Arc::new(Meter::new(&rules)),
    };
    Ok(PrincipalState {
        name: row.name.as_str().into(),
        external_id: row.external_id.as_deref().map(Into::into),
        reach: ceiling(row.ceiling.as_deref())?,
        disabled: row.disabled,
        rules,
        meter,
    })
}

pub(crate) fn principal(id: OwnerId, organization: OrganizationId, state: PrincipalState) -> Principal {
    Principal { id, organization, state: Arc::new(state).into() }
}

pub(crate) fn compile_policy(directory: &Directory, body: &str) -> Result<Policy, Refused> {
    Ok(Policy::compile(&json::<PolicySpec>(body)?, |id| directory.role(id))?)
}

/// An entry, with what it shares looked up. `before` is the key as it was, or another of its lineage:
/// its counters go on. With it come the cell of the key that it was minted from, its part in a
/// rotation, and its tags. A row whose shared rows are missing is a fault of ours, and is not let in.
pub(crate) fn entry(
    directory: &Directory,
    row: &KeyResident<'_>,
    policy: Arc<Policy>,
    (parent, rotation, tags): (Option<Arc<ParentCell>>, Option<Rotation>, Tags),
    before: Option<&Entry>,
) -> Result<Entry, Refused> {
    let missing = |what: &str| Refused::Internal(format!("{} refers to a missing {what}", row.id));
    let place = directory.place_by_id(row.environment_id).ok_or_else(|| missing("environment"))?;
    let owner = directory.principal(row.owner).ok_or_else(|| missing("owner"))?;
    let consumer = match row.consumer_id {
        Some(id) => Some(directory.principal(OwnerId::Consumer(id)).ok_or_else(|| missing("consumer"))?),
        None => None,
    };
    let company = Company {
        is_shared: row.lineage_id != row.id || rotation.is_some(),
        is_over: row.revoked_at.is_some() || rotation.as_ref().is_some_and(Rotation::is_over),
    };
    let lineage = match parent {
        // What a minted key spends is its parent's: this is only the lineage's name.
        Some(_) => Arc::new(Lineage::new(row.lineage_id, Meter::default())),
        None => directory.lineages().join(row.lineage_id, &policy.rules, company, before),
    };
    let switch = match (row.revoked_at, row.disabled) {
        (Some(_), _) => Switch::Revoked,
        (None, true) => Switch::Off,
        (None, false) => Switch::On,
    };
    Ok(Entry {
        id: row.id,
        pepper: u16::try_from(row.pepper_version).map_err(|_| missing("pepper"))?,
        switch,
        kind: KeyKind::named(row.kind).ok_or_else(|| missing("kind"))?,
        digest: Digest::from_bytes(row.digest),
        not_before: row.not_before.unwrap_or(Micros(i64::MIN)),
        expires_at: row.expires_at.unwrap_or(Micros::FOREVER),
        suspended_until: row.suspended_until.unwrap_or(Micros(i64::MIN)),
        place,
        owner,
        consumer,
        policy,
        lineage,
        special: special(directory, row, (parent, rotation, tags), before),
    })
}

/// What few keys have; nothing for all others.
fn special(
    directory: &Directory,
    row: &KeyResident<'_>,
    (minted, rotation, tags): (Option<Arc<ParentCell>>, Option<Rotation>, Tags),
    before: Option<&Entry>,
) -> Option<Arc<Special>> {
    let uses = row.has_uses.then(|| {
        // Blocks that were leased for it are not lost when the key is changed.
        let same = before.filter(|before| before.id == row.id);
        same.and_then(|before| before.uses().cloned()).unwrap_or_else(|| Arc::new(Uses::new(row.id)))
    });
    let special = Special { may_mint: row.may_mint, uses, minted, rotation, tags: Box::default() };
    match (special.is_empty(), tags.is_empty()) {
        (true, true) => None,
        // Many keys are tagged alike.
        (true, false) => Some(directory.tagged(tags)),
        (false, _) => Some(Arc::new(Special { tags, ..special })),
    }
}

/// Tags as an entry holds them: sorted, as the store gives them.
pub(crate) fn tags(tags: Vec<String>) -> Tags {
    tags.into_iter().map(Into::into).collect()
}

/// A key's part in a rotation that was not cancelled: as the old key where it is that in one. A new
/// key whose first use nobody waits for has none: nothing about it is special.
pub(crate) fn rotation(id: KeyId, rows: &[RotationRow]) -> Option<Rotation> {
    let mut standing = rows.iter().filter(|row| row.state != RotationStage::Cancelled);
    let is_open = |row: &RotationRow| row.state == RotationStage::Draining;
    if let Some(row) = standing.clone().find(|row| row.old_key_id == id) {
        let revokes_on_reuse = Once::when(row.revoke_lineage_on_reuse);
        let part = Part::Old { over: !is_open(row), revokes_on_reuse };
        return Some(Rotation { other: row.new_key_id, part });
    }
    let waits = |row: &&RotationRow| {
        is_open(row) && row.new_key_id == id && row.overlap_seconds.is_some() && row.first_used_at.is_none()
    };
    let row = standing.find(waits)?;
    Some(Rotation { other: row.old_key_id, part: Part::New { first_use: Once::when(true) } })
}

/// What of a key's row is resident.
pub(crate) fn resident(row: &KeyRow) -> KeyResident<'_> {
    KeyResident {
        id: row.id,
        organization_id: row.organization_id,
        environment_id: row.environment_id,
        lineage_id: row.lineage_id,
        kind: &row.kind,
        digest: row.digest,
        pepper_version: row.pepper_version,
        owner: row.owner,
        consumer_id: row.consumer_id,
        policy_hash: row.policy_hash,
        disabled: row.disabled,
        suspended_until: row.suspended_until,
        revoked_at: row.revoked_at,
        not_before: row.not_before,
        expires_at: row.expires_at,
        parent_id: row.parent_id,
        has_uses: row.uses.is_some(),
        may_mint: row.may_mint,
    }
}

/// Where an imported key is found.
pub(crate) fn import(row: ImportRow) -> Result<Import, Refused> {
    let form = Form::named(&row.form);
    Ok(Import {
        organization: row.organization_id,
        form: form
            .ok_or_else(|| Refused::Internal(format!("{} was imported in an unknown form", row.key_id)))?,
        lookup: row.lookup,
        digest: Digest::from_bytes(row.digest),
        pepper: u16::try_from(row.pepper_version)
            .map_err(|_| Refused::Internal(format!("{} has no possible pepper", row.key_id)))?,
        prefix: row.prefix.map(Into::into),
    })
}
