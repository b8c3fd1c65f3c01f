//! Enforcing guardrails: each act that makes a key, or makes it more than it was, asks here inside
//! its own transaction.

use super::{layer, together};
use crate::key_view::spec_of;
use crate::present::json;
use crate::refused::Refused;
use keystead_api::{GuardrailScope, GuardrailViolation, KeyKind};
use keystead_domain::cells::{Place, ProjectCell};
use keystead_domain::guardrails::{Given, Guard, KeyFacts, PolicyFacts, Violation, new_or_worse};
use keystead_domain::ids::{KeyId, OrganizationId, RoleId};
use keystead_domain::pattern::PermissionSet;
use keystead_domain::policy::PolicySpec;
use keystead_domain::time::Micros;
use keystead_store::{Conn, KeyRow, RoleRow, Tx};
use std::collections::HashMap;

/// A key as it is to be, or was.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Candidate<'a> {
    pub(crate) row: &'a KeyRow,
    pub(crate) spec: &'a PolicySpec,
}

/// What holds for a project's keys now.
pub(crate) async fn guard_of(conn: &mut Conn, project: &ProjectCell) -> Result<Guard, Refused> {
    let (mut organizations, mut own) = (None, None);
    for row in conn.guardrails_in_force(project.organization, project.id).await? {
        match row.project_id {
            None => organizations = Some(layer(GuardrailScope::Organization, &row)?),
            Some(_) => own = Some(layer(GuardrailScope::Project, &row)?),
        }
    }
    knowing(conn, project, together(project, organizations, own)).await
}

/// The same, told which permissions are sensitive where it asks for that.
pub(super) async fn knowing(conn: &mut Conn, project: &ProjectCell, guard: Guard) -> Result<Guard, Refused> {
    if !guard.asks_of_sensitive() {
        return Ok(guard);
    }
    let sensitive = conn.sensitive_permissions(project.id).await?;
    Ok(guard.knowing(sensitive))
}

/// Which guardrails demand an approval of what is about to be done.
#[derive(Debug)]
#[must_use]
pub(crate) struct Needs(pub(crate) Vec<GuardrailViolation>);

impl Needs {
    /// Refuses what nothing stands in for.
    ///
    /// # Errors
    /// [`Refused::ApprovalRequired`] when there are any.
    pub(crate) fn refuse(self) -> Result<(), Refused> {
        refuse(self.0)
    }
}

/// What holds in every project of an organization now.
pub(crate) async fn guard_of_organization(
    conn: &mut Conn,
    organization: OrganizationId,
) -> Result<Guard, Refused> {
    let row = conn.organization_guardrails(organization).await?;
    let layer = row.map(|row| layer(GuardrailScope::Organization, &row)).transpose()?;
    Ok(Guard::of(layer, None))
}

/// Refuses a new key that a guardrail does not allow; what it needs an approval for.
pub(crate) async fn check_new(
    tx: &mut Tx,
    guard: &Guard,
    place: &Place,
    key: Candidate<'_>,
    now: Micros,
) -> Result<Needs, Refused> {
    // One that joins a lineage, such as a minted one, is no key more of its owner.
    let counts = key.row.lineage_id == key.row.id;
    let found = judge(tx, guard, place, key, counts, now).await?;
    split((&[], &[]), found)
}

/// Refuses a change that makes a violation new or worse. One that was there before may stay: a key
/// must never be kept from being narrowed. What it needs an approval for: for all that does, where the key
/// changes hands, because another owner lets something else pass.
pub(crate) async fn check_changed(
    tx: &mut Tx,
    guard: &Guard,
    place: &Place,
    (before, after): (Candidate<'_>, Candidate<'_>),
    now: Micros,
) -> Result<Needs, Refused> {
    // One more key of the owner: it is another's now, or lives again.
    let counts = lives(after.row, now) && (after.row.owner != before.row.owner || !lives(before.row, now));
    let known = judge(tx, guard, place, before, false, now).await?;
    let found = judge(tx, guard, place, after, counts, now).await?;
    let stays = after.row.owner == before.row.owner && after.row.consumer_id == before.row.consumer_id;
    split((&known, if stays { &known } else { &[] }), found)
}

/// Refuses what no approval lifts, and names the rest. What was so before, in both, is left out.
fn split((known, approved): (&[Violation], &[Violation]), found: Vec<Violation>) -> Result<Needs, Refused> {
    let (needs, hard) = found.into_iter().partition(|one| one.told.guardrail.is_approval());
    refuse(new_or_worse(known, hard))?;
    Ok(Needs(new_or_worse(approved, needs)))
}

/// Refuses a role's new permissions where keys hold it that may never have them. The role's row is
/// written already, so no key is given it meanwhile.
pub(crate) async fn check_role(
    tx: &mut Tx,
    project: &ProjectCell,
    before: &RoleRow,
    new: &PermissionSet,
) -> Result<(), Refused> {
    let guard = guard_of(tx, project).await?;
    if !guard.forbids_permissions() && !guard.asks_of_sensitive() {
        return Ok(());
    }
    let old: Vec<String> = json(&before.permissions)?;
    let old = given(&PermissionSet::parse(&old)?);
    let new = given(new);
    let mut found = Vec::new();
    for kind in tx.kinds_with_role(project.organization, before.id).await? {
        found.extend(guard.forbidden(kind_of(&kind)?, &old, &new));
    }
    if found.is_empty() { Ok(()) } else { Err(Refused::Guardrails(found)) }
}

/// A role's permissions by where the request has them.
fn given(set: &PermissionSet) -> Vec<Given> {
    let given = |(index, pattern): (usize, &keystead_domain::pattern::Pattern)| Given {
        pattern: pattern.clone(),
        resources: None,
        field: format!("/permissions/{index}"),
    };
    set.iter().enumerate().map(given).collect()
}

/// Refuses with all of them: as what could be approved, where all of it could.
pub(crate) fn refuse(found: Vec<GuardrailViolation>) -> Result<(), Refused> {
    if found.is_empty() {
        Ok(())
    } else if found.iter().all(|one| one.guardrail.is_approval()) {
        Err(Refused::ApprovalRequired(found))
    } else {
        Err(Refused::Guardrails(found))
    }
}

async fn judge(
    tx: &mut Tx,
    guard: &Guard,
    place: &Place,
    Candidate { row, spec }: Candidate<'_>,
    counts: bool,
    now: Micros,
) -> Result<Vec<Violation>, Refused> {
    let organization = row.organization_id;
    if guard.forbids_permissions() || guard.asks_of_sensitive() {
        // In one order, so that two acts never wait for each other.
        let mut roles: Vec<RoleId> = spec.roles.iter().filter_map(|role| role.id.parse().ok()).collect();
        roles.sort_unstable();
        for role in roles {
            tx.hold_role(organization, role).await?;
        }
    }
    let mut policy = policy_facts(tx, organization, spec).await?;
    if let Some(parent) = row.parent_id.filter(|_| guard.asks_of_parents()) {
        policy = policy.under(&parent_facts(tx, organization, parent).await?);
    }
    let keys_of_owner = if counts && guard.counts_keys() {
        tx.hold_owner(organization, row.owner).await?;
        let others = tx.other_lineages_of_owner(row.owner, row.project_id, row.lineage_id, now).await?;
        Some(crate::accounts::unsigned(others).saturating_add(1))
    } else {
        None
    };
    let (prefix, owner) = (prefix_of(row, place), row.owner.to_string());
    Ok(guard.violations(&KeyFacts {
        kind: kind_of(&row.kind)?,
        prefix,
        created_at: row.created_at,
        expires_at: row.expires_at,
        policy: &policy,
        owner: &owner,
        keys_of_owner,
        now,
    }))
}

/// What guardrails look at of a policy, with what its roles give now.
pub(crate) async fn policy_facts(
    conn: &mut Conn,
    organization: OrganizationId,
    spec: &PolicySpec,
) -> Result<PolicyFacts, Refused> {
    let mut roles: HashMap<&str, PermissionSet> = HashMap::with_capacity(spec.roles.len());
    for role in &spec.roles {
        let Ok(id) = role.id.parse::<RoleId>() else { continue };
        if let Some(row) = conn.role(organization, id).await? {
            let texts: Vec<String> = json(&row.permissions)?;
            roles.insert(&role.id, PermissionSet::parse(&texts)?);
        }
    }
    Ok(PolicyFacts::of(spec, |id| roles.get(id).cloned())?)
}

/// What guardrails look at of the policy of a minted key's parent; nothing of one that was purged.
pub(super) async fn parent_facts(
    conn: &mut Conn,
    organization: OrganizationId,
    parent: KeyId,
) -> Result<PolicyFacts, Refused> {
    let Some(row) = conn.key(organization, parent).await? else { return Ok(PolicyFacts::default()) };
    let spec = spec_of(conn, &row).await?;
    policy_facts(conn, organization, &spec).await
}

/// Whether it counts for its owner: it may pass, now or when it is switched on.
pub(super) fn lives(row: &KeyRow, now: Micros) -> bool {
    row.revoked_at.is_none() && row.expires_at.is_none_or(|end| now < end)
}

/// How it begins; `None` where others chose that.
pub(super) fn prefix_of<'a>(row: &'a KeyRow, place: &Place) -> Option<&'a str> {
    let id = row.id.to_string();
    let rest = row.start.strip_suffix(id.strip_prefix("key_")?)?.strip_suffix('_')?;
    rest.strip_suffix(&*place.tag)?.strip_suffix('_')
}

pub(super) fn kind_of(kind: &str) -> Result<KeyKind, Refused> {
    KeyKind::named(kind)
        .ok_or_else(|| Refused::Internal("the database holds a kind of key that is none".into()))
}
