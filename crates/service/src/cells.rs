//! Rows made into the cells and entries that verification uses.

use crate::keyring::Directory;
use crate::present::json;
use crate::refused::Refused;
use keystead_domain::cells::{Catalogue, Flags, Place, Principal, PrincipalState, ProjectCell, RoleCell};
use keystead_domain::digest::Digest;
use keystead_domain::entry::{Entry, Lineage, Switch};
use keystead_domain::ids::{OrganizationId, OwnerId};
use keystead_domain::meter::{Meter, MeterRules};
use keystead_domain::pattern::PermissionSet;
use keystead_domain::policy::{Policy, PolicySpec};
use keystead_domain::time::Micros;
use keystead_store::{
    ConsumerRow, EnvironmentRow, KeyResident, KeyRow, PermissionRow, ProjectRow, RoleRow, ServiceAccountRow,
};
use std::sync::Arc;

pub(crate) fn project(row: &ProjectRow, permissions: &[PermissionRow]) -> ProjectCell {
    ProjectCell {
        id: row.id,
        organization: row.organization_id,
        slug: row.slug.as_str().into(),
        system: row.system,
        resource: format!("projects/{}", row.id).into(),
        catalogue: Arc::new(catalogue(permissions)).into(),
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

fn ceiling(text: Option<&str>) -> Result<Option<PermissionSet>, Refused> {
    text.map(|text| Ok(PermissionSet::parse(&json::<Vec<String>>(text)?)?)).transpose()
}

pub(crate) fn account_state(row: &ServiceAccountRow) -> Result<PrincipalState, Refused> {
    Ok(PrincipalState {
        name: row.name.as_str().into(),
        external_id: None,
        ceiling: ceiling(row.ceiling.as_deref())?,
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
        ceiling: ceiling(row.ceiling.as_deref())?,
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

/// An entry, with what it shares looked up. `before` is the key as it was: its lineage's counters
/// go on. A row whose shared rows are missing is a fault of ours, and is not let in.
pub(crate) fn entry(
    directory: &Directory,
    row: &KeyResident<'_>,
    policy: Arc<Policy>,
    before: Option<&Entry>,
) -> Result<Entry, Refused> {
    let missing = |what: &str| Refused::Internal(format!("{} refers to a missing {what}", row.id));
    let place = directory.place_by_id(row.environment_id).ok_or_else(|| missing("environment"))?;
    let owner = directory.principal(row.owner).ok_or_else(|| missing("owner"))?;
    let consumer = match row.consumer_id {
        Some(id) => Some(directory.principal(OwnerId::Consumer(id)).ok_or_else(|| missing("consumer"))?),
        None => None,
    };
    let lineage = match before {
        Some(before) if before.policy.rules == policy.rules => Arc::clone(&before.lineage),
        Some(before) => {
            let carried = before.lineage.meter.carried(&before.policy.rules, &policy.rules);
            Arc::new(Lineage::new(row.lineage_id, carried))
        }
        None => Arc::new(Lineage::new(row.lineage_id, Meter::new(&policy.rules))),
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
        digest: Digest::from_bytes(row.digest),
        not_before: row.not_before.unwrap_or(Micros(i64::MIN)),
        expires_at: row.expires_at.unwrap_or(Micros::FOREVER),
        suspended_until: row.suspended_until.unwrap_or(Micros(i64::MIN)),
        place,
        owner,
        consumer,
        policy,
        lineage,
    })
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
    }
}
