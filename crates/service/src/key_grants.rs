//! What a key is to be given, checked: every name exists, and in a system project nobody gives more
//! than they have.

use crate::Keystead;
use crate::caller::Caller;
use crate::kinds::public_safe;
use crate::refused::Refused;
use crate::widening::covers;
use keystead_api::{
    CreditsSpec, KeyKind, LimitSpec, NarrowedPermission, NarrowedRole, PermissionGrant, QuotaSpec,
    Restrictions, RoleGrant,
};
use keystead_domain::cells::{Place, ProjectCell};
use keystead_domain::ids::RoleId;
use keystead_domain::invalid::Invalid;
use keystead_domain::pattern::Pattern;
use keystead_domain::policy::{Given, Policy, PolicySpec, RefillSpec, RoleSpec};
use keystead_store::Tx;

/// What was asked for a key, as the API writes it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wanted {
    pub(crate) kind: KeyKind,
    pub(crate) permissions: Vec<PermissionGrant>,
    pub(crate) roles: Vec<RoleGrant>,
    pub(crate) restrictions: Restrictions,
    pub(crate) limits: Vec<LimitSpec>,
    pub(crate) quota: Option<QuotaSpec>,
    pub(crate) credits: Option<RefillSpec>,
}

/// The same, checked and ready to be stored.
#[derive(Debug)]
pub(crate) struct Granted {
    pub(crate) spec: PolicySpec,
    pub(crate) json: String,
    pub(crate) hash: [u8; 32],
    pub(crate) roles: Vec<RoleId>,
    pub(crate) exact_permissions: Vec<String>,
}

impl Keystead {
    /// Checks what a key is to be given, inside the transaction that gives it: two requests at once
    /// cannot give what is being taken away.
    pub(crate) async fn check_grants(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        place: &Place,
        wanted: Wanted,
    ) -> Result<Granted, Refused> {
        let project = &place.project;
        let wanted = if project.system { self.with_project_ids(caller, wanted)? } else { wanted };
        let roles = role_specs(tx, project, &wanted.roles).await?;
        let spec = PolicySpec {
            permissions: wanted.permissions,
            roles: roles.iter().map(|(_, spec)| spec.clone()).collect(),
            restrictions: wanted.restrictions,
            limits: wanted.limits,
            quota: wanted.quota,
            credits: wanted.credits,
        };
        let policy = Policy::compile(&spec, |id| self.keyring.directory.role(id))?;
        ground(tx, project, &spec, &policy).await?;
        if project.system {
            not_wider(caller, &policy)?;
        }
        if wanted.kind == KeyKind::Public {
            public_safe(tx, project, &policy).await?;
        }
        let json = spec.to_json();
        Ok(Granted {
            hash: PolicySpec::hash_of(&json),
            roles: roles.into_iter().map(|(id, _)| id).collect(),
            exact_permissions: spec.exact_permissions(),
            json,
            spec,
        })
    }

    /// Whether everything that a stored key of a system project was given is what the caller has too.
    pub(crate) fn not_wider_than_own(&self, caller: &Caller, spec: &PolicySpec) -> Result<(), Refused> {
        let policy = Policy::compile(spec, |id| self.keyring.directory.role(id))?;
        not_wider(caller, &policy)
    }

    /// In a system project resources name projects: slugs are made ids, which nothing can rename,
    /// and a bare project or environment means all that is in it.
    fn with_project_ids(&self, caller: &Caller, mut wanted: Wanted) -> Result<Wanted, Refused> {
        for (index, grant) in wanted.permissions.iter_mut().enumerate() {
            if let PermissionGrant::Narrowed(NarrowedPermission { resources, .. }) = grant {
                self.resources_by_id(caller, resources, &format!("/permissions/{index}"))?;
            }
        }
        for (index, grant) in wanted.roles.iter_mut().enumerate() {
            if let RoleGrant::Narrowed(NarrowedRole { resources, .. }) = grant {
                self.resources_by_id(caller, resources, &format!("/roles/{index}"))?;
            }
        }
        Ok(wanted)
    }

    pub(crate) fn resources_by_id(
        &self,
        caller: &Caller,
        resources: &mut [String],
        field: &str,
    ) -> Result<(), Refused> {
        for (index, resource) in resources.iter_mut().enumerate() {
            let field = format!("{field}/resources/{index}");
            *resource = self.resource_by_id(caller, resource).ok_or_else(|| {
                Refused::unknown(
                    field,
                    "This names no project or environment of yours.",
                    "Write projects/<slug> or projects/<slug>/environments/<slug>.",
                )
            })?;
        }
        Ok(())
    }

    fn resource_by_id(&self, caller: &Caller, resource: &str) -> Option<String> {
        let directory = &self.keyring.directory;
        let segments: Vec<&str> = resource.split('/').collect();
        match segments.as_slice() {
            ["projects", "*" | "**", ..] => Some(resource.to_owned()),
            ["projects", project, rest @ ..] => {
                let project = directory.project(caller.organization(), project)?;
                match rest {
                    [] | ["**"] => Some(format!("{}/**", project.resource)),
                    ["environments", environment] | ["environments", environment, "**"] => {
                        Some(format!("{}/**", directory.place(project.id, environment)?.resource))
                    }
                    _ => None,
                }
            }
            _ => None,
        }
    }
}

/// Roles by name or id, as they are stored.
async fn role_specs(
    tx: &mut Tx,
    project: &ProjectCell,
    roles: &[RoleGrant],
) -> Result<Vec<(RoleId, RoleSpec)>, Refused> {
    if roles.len() > keystead_domain::policy::ROLES_MAX {
        return Err(Invalid::new(
            "/roles",
            "There are too many roles.",
            format!("Use at most {}.", keystead_domain::policy::ROLES_MAX),
        )
        .into());
    }
    let mut specs: Vec<(RoleId, RoleSpec)> = Vec::with_capacity(roles.len());
    for (index, grant) in roles.iter().enumerate() {
        let (name, resources) = match grant {
            RoleGrant::Everywhere(name) => (name, Vec::new()),
            RoleGrant::Narrowed(narrowed) if narrowed.resources.is_empty() => {
                return Err(Invalid::new(
                    format!("/roles/{index}/resources"),
                    "A narrowed role names no resource.",
                    "Name one, or give the role by its name alone.",
                )
                .into());
            }
            RoleGrant::Narrowed(narrowed) => (&narrowed.role, narrowed.resources.clone()),
        };
        let row = match name.parse::<RoleId>() {
            Ok(id) => tx.role(project.organization, id).await?.filter(|row| row.project_id == project.id),
            Err(_) => tx.role_by_name(project.id, name).await?,
        };
        let row = row.ok_or_else(|| {
            Refused::unknown(
                format!("/roles/{index}"),
                "This project has no such role.",
                "List its roles, or create it first.",
            )
        })?;
        if specs.iter().any(|(id, spec)| *id == row.id && spec.resources == resources) {
            return Err(Invalid::new(
                format!("/roles/{index}"),
                "This role is given twice.",
                "Give it once.",
            )
            .into());
        }
        specs.push((row.id, RoleSpec { id: row.id.to_string(), resources }));
    }
    Ok(specs)
}

/// Every permission that is given is in the catalogue, or matches something in it.
async fn ground(
    tx: &mut Tx,
    project: &ProjectCell,
    spec: &PolicySpec,
    policy: &Policy,
) -> Result<(), Refused> {
    let catalogue = project.catalogue.load_full();
    for (index, (given, grant)) in spec.permissions.iter().zip(&policy.grants).enumerate() {
        let Given::Permission(pattern) = &grant.given else {
            continue;
        };
        // One that is deleted a moment from now is refused by the key's reference to it; one that another
        // node made a moment ago is in the database only.
        let grounded = catalogue.grounds(pattern)
            || pattern.is_exact() && tx.permission_by_name(project.id, pattern.as_str()).await?.is_some();
        if !grounded {
            let fix = match nearest(pattern, catalogue.names()) {
                Some(name) => {
                    format!("Did you mean {name}? Otherwise add it to the project's catalogue first.")
                }
                None => "Add it to the project's catalogue first.".into(),
            };
            return Err(Refused::unknown(
                format!("/permissions/{index}"),
                format!("The project's catalogue has nothing that is {pattern}."),
                fix,
            ));
        }
        if spec.permissions.iter().take(index).any(|other| other == given) {
            return Err(Invalid::new(
                format!("/permissions/{index}"),
                format!("{pattern} is given twice."),
                "Give it once.",
            )
            .into());
        }
    }
    Ok(())
}

/// The catalogued name that shares the longest beginning, of three characters at least.
fn nearest<'a>(pattern: &Pattern, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let shared = |name: &str| name.bytes().zip(pattern.as_str().bytes()).take_while(|(a, b)| a == b).count();
    names.map(|name| (shared(name), name)).filter(|(length, _)| *length >= 3).max().map(|(_, name)| name)
}

/// Keys of a system project administer: whoever makes one passes on no more than they have.
fn not_wider(caller: &Caller, policy: &Policy) -> Result<(), Refused> {
    for (index, grant) in policy.grants.iter().enumerate() {
        let resources = grant.resources.as_deref();
        let covered = match &grant.given {
            Given::Permission(pattern) => covers(&caller.entry, pattern, resources),
            Given::Role(role) => {
                role.permissions.load().iter().all(|pattern| covers(&caller.entry, pattern, resources))
            }
        };
        if !covered {
            return Err(wider(format!("the key's grant {index} ({})", grant.describe())));
        }
    }
    let (own, new) = (&caller.entry.policy.restrictions, &policy.restrictions);
    let kept = [
        ("networks", own.networks.is_none() || own.networks == new.networks),
        ("origins", own.origins.is_none() || own.origins == new.origins),
        ("endpoints", own.endpoints.is_none() || own.endpoints == new.endpoints),
        ("hours", own.hours.is_none() || own.hours == new.hours),
    ];
    kept.into_iter()
        .find(|(_, kept)| !kept)
        .map_or(Ok(()), |(what, _)| Err(wider(format!("other {what} than your own key's"))))
}

/// Nobody passes on more than they have.
pub(crate) fn wider(what: impl Into<String>) -> Refused {
    Refused::Forbidden { permission: "more than you have", resource: what.into() }
}

/// How credits are refilled, apart from what remains of them.
pub(crate) fn refill_of(credits: &CreditsSpec) -> Result<RefillSpec, Invalid> {
    let rule = keystead_domain::calendar::CreditsRule::compile(credits)
        .map_err(|invalid| invalid.below("/credits"))?;
    Ok(RefillSpec { refill: rule.refill, amount: rule.amount })
}
