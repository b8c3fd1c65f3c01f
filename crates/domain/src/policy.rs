//! What a key may do, as stored (one JSON text, shared by all keys that are alike) and as compiled.

use crate::calendar::CreditsRule;
use crate::cells::{Catalogue, RoleCell};
use crate::ids::RoleId;
use crate::invalid::Invalid;
use crate::meter::MeterRules;
use crate::pattern::Pattern;
use crate::resource::ResourcePattern;
use crate::restrictions::Restrictions;
use arc_swap::ArcSwap;
use keystead_api::{LimitSpec, NarrowedPermission, PermissionGrant, QuotaSpec, Refill};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The most permissions given to one key.
pub const PERMISSIONS_MAX: usize = 256;
/// The most roles given to one key.
pub const ROLES_MAX: usize = 64;
/// The most resources that one grant is narrowed to.
pub const RESOURCES_MAX: usize = 64;

/// A policy as stored. Keys with equal policies share one row, known by the hash of its JSON.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicySpec {
    /// Permissions given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub permissions: Vec<PermissionGrant>,
    /// Roles given, by id, so that renaming nothing can change what a key may do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<RoleSpec>,
    /// What narrows it.
    #[serde(default)]
    pub restrictions: keystead_api::Restrictions,
    /// Rate limits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub limits: Vec<LimitSpec>,
    /// A quota.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota: Option<QuotaSpec>,
    /// How credits are refilled; what remains of them stands in the account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credits: Option<RefillSpec>,
}

/// A role given, as stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleSpec {
    /// Its id, written `role_…`.
    pub id: String,
    /// Only on these resources.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<String>,
}

/// How credits are refilled, as stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefillSpec {
    /// When.
    pub refill: Refill,
    /// What a refill sets.
    pub amount: u64,
}

impl PolicySpec {
    /// The JSON under which it is stored and shared.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// What it is known by: SHA-256 of its JSON.
    #[must_use]
    pub fn hash_of(json: &str) -> [u8; 32] {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, json.as_bytes());
        let mut hash = [0; 32];
        hash.copy_from_slice(digest.as_ref());
        hash
    }

    /// Exact permission names that it gives: the catalogue cannot lose one while a key holds it.
    #[must_use]
    pub fn exact_permissions(&self) -> Vec<String> {
        let mut names: Vec<String> = self
            .permissions
            .iter()
            .map(|grant| match grant {
                PermissionGrant::Everywhere(name) => name,
                PermissionGrant::Narrowed(narrowed) => &narrowed.permission,
            })
            .filter(|name| !name.contains('*'))
            .cloned()
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

/// A policy, compiled and shared by all keys that are alike.
#[derive(Debug)]
pub struct Policy {
    /// What is given.
    pub grants: Box<[Grant]>,
    /// What narrows it.
    pub restrictions: Restrictions,
    /// Limits, quota and credits of the lineage.
    pub rules: MeterRules,
}

/// A permission or role that is given, on all resources or on some.
#[derive(Debug, Clone)]
pub struct Grant {
    /// What is given.
    pub given: Given,
    /// Only on these resources; `None` means on all.
    pub resources: Option<Box<[ResourcePattern]>>,
}

/// What a grant gives.
#[derive(Debug, Clone)]
pub enum Given {
    /// A permission, or all that match.
    Permission(Pattern),
    /// A role, as it is when asked.
    Role(Arc<RoleCell>),
}

impl Policy {
    /// Compiles a stored policy. Whether its names are in the catalogue is checked when it is set,
    /// not here: a policy that was right when it was set still loads.
    ///
    /// # Errors
    /// With the field, as a JSON pointer into the request that set it.
    pub fn compile(
        spec: &PolicySpec,
        role: impl Fn(RoleId) -> Option<Arc<RoleCell>>,
    ) -> Result<Self, Invalid> {
        if spec.permissions.len() > PERMISSIONS_MAX {
            return Err(Invalid::new(
                "/permissions",
                "There are too many permissions.",
                format!("Use at most {PERMISSIONS_MAX}, patterns, or a role."),
            ));
        }
        if spec.roles.len() > ROLES_MAX {
            return Err(Invalid::new(
                "/roles",
                "There are too many roles.",
                format!("Use at most {ROLES_MAX}."),
            ));
        }
        let mut grants = Vec::with_capacity(spec.permissions.len() + spec.roles.len());
        for (index, grant) in spec.permissions.iter().enumerate() {
            grants.push(
                Grant::permission(grant)
                    .map_err(|invalid| invalid.below(&format!("/permissions/{index}")))?,
            );
        }
        for (index, given) in spec.roles.iter().enumerate() {
            let field = format!("/roles/{index}");
            let cell = given.id.parse().ok().and_then(&role);
            let cell = cell.ok_or_else(|| {
                Invalid::new(
                    field.clone(),
                    "This role does not exist.",
                    "List the project's roles, or create it first.",
                )
            })?;
            let resources = if given.resources.is_empty() {
                None
            } else {
                Some(compile_resources(&given.resources).map_err(|invalid| invalid.below(&field))?)
            };
            grants.push(Grant { given: Given::Role(cell), resources });
        }
        let credits =
            spec.credits.map(|credits| CreditsRule { refill: credits.refill, amount: credits.amount });
        Ok(Self {
            grants: grants.into(),
            restrictions: Restrictions::compile(&spec.restrictions)
                .map_err(|invalid| invalid.below("/restrictions"))?,
            rules: MeterRules::compile(&spec.limits, spec.quota.as_ref(), credits)?,
        })
    }

    /// Whether the policy gives `permission` on `resource`. A pattern gives only what the catalogue
    /// knows; an exact name was in it when it was given.
    #[must_use]
    pub fn gives(&self, catalogue: &ArcSwap<Catalogue>, permission: &str, resource: Option<&str>) -> bool {
        self.grants.iter().any(|grant| {
            grant.gives_if(permission, || catalogue.load().knows(permission)) && grant.reaches(resource)
        })
    }
}

impl Grant {
    fn permission(grant: &PermissionGrant) -> Result<Self, Invalid> {
        match grant {
            PermissionGrant::Everywhere(name) => {
                Ok(Self { given: Given::Permission(Pattern::parse(name)?), resources: None })
            }
            PermissionGrant::Narrowed(NarrowedPermission { permission, resources }) => Ok(Self {
                given: Given::Permission(
                    Pattern::parse(permission).map_err(|invalid| invalid.below("/permission"))?,
                ),
                resources: Some(compile_resources(resources)?),
            }),
        }
    }

    /// Reads where the first name stands: see [`crate::entry::Entry::fetch_ahead`].
    #[inline]
    pub(crate) fn fetch_ahead(&self) -> Option<u8> {
        match &self.given {
            Given::Permission(pattern) => pattern.as_str().bytes().next(),
            Given::Role(_) => None,
        }
    }

    /// Whether it holds on `resource`. One that is narrowed does not hold where no resource is named.
    #[must_use]
    pub fn reaches(&self, resource: Option<&str>) -> bool {
        match (&self.resources, resource) {
            (None, _) => true,
            (Some(patterns), Some(resource)) => patterns.iter().any(|pattern| pattern.matches(resource)),
            (Some(_), None) => false,
        }
    }

    /// Whether everything that `pattern` stands for on `resource` (`None`: on all) is within it.
    #[must_use]
    pub fn covers(&self, pattern: &Pattern, resource: Option<&ResourcePattern>) -> bool {
        let reaches = match (&self.resources, resource) {
            (None, _) => true,
            (Some(own), Some(resource)) => own.iter().any(|own| own.covers(resource)),
            (Some(_), None) => false,
        };
        reaches
            && match &self.given {
                Given::Permission(own) => own.covers(pattern),
                Given::Role(role) => role.permissions.load().covers(pattern),
            }
    }

    /// Whether it gives `permission`, wherever it holds.
    #[must_use]
    pub fn gives(&self, catalogue: &Catalogue, permission: &str) -> bool {
        self.gives_if(permission, || catalogue.knows(permission))
    }

    /// `known` is asked only where a pattern matches: most grants name what they give.
    pub(crate) fn gives_if(&self, permission: &str, known: impl Fn() -> bool) -> bool {
        let by = |pattern: &Pattern| pattern.matches(permission) && (pattern.is_exact() || known());
        match &self.given {
            Given::Permission(pattern) => by(pattern),
            Given::Role(role) => role.permissions.load().iter().any(by),
        }
    }

    /// Calls `each` for every name that it gives, wherever it holds; for a name that a role gives
    /// twice, twice. Only for a pattern the catalogue is walked: this is done for every answer.
    pub fn each_name(&self, catalogue: &Catalogue, each: &mut dyn FnMut(&str)) {
        let mut of = |pattern: &Pattern| {
            if pattern.is_exact() {
                each(pattern.as_str());
            } else {
                catalogue.names().filter(|name| pattern.matches(name)).for_each(&mut *each);
            }
        };
        match &self.given {
            Given::Permission(pattern) => of(pattern),
            Given::Role(role) => role.permissions.load().iter().for_each(of),
        }
    }

    /// For people: `permission routes.*` or `role editor`.
    #[must_use]
    pub fn describe(&self) -> String {
        match &self.given {
            Given::Permission(pattern) => format!("permission {pattern}"),
            Given::Role(role) => format!("role {}", role.name),
        }
    }
}

pub(crate) fn compile_resources(resources: &[String]) -> Result<Box<[ResourcePattern]>, Invalid> {
    if !(1..=RESOURCES_MAX).contains(&resources.len()) {
        return Err(Invalid::new(
            "/resources",
            format!("A narrowed grant names {} resources.", resources.len()),
            format!("Name 1 to {RESOURCES_MAX}, or give it without `resources`."),
        ));
    }
    resources
        .iter()
        .enumerate()
        .map(|(index, resource)| {
            ResourcePattern::parse(resource).map_err(|invalid| invalid.below(&format!("/resources/{index}")))
        })
        .collect()
}
