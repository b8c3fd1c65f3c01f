//! What guardrails look at of a key.

use crate::invalid::Invalid;
use crate::networks::NetworkRules;
use crate::pattern::{Pattern, PermissionSet};
use crate::policy::PolicySpec;
use crate::time::Micros;
use keystead_api::{KeyKind, PermissionGrant};

/// What guardrails look at of a key.
#[derive(Debug, Clone)]
pub struct KeyFacts<'a> {
    /// What it is for.
    pub kind: KeyKind,
    /// How it begins; `None` where others chose that.
    pub prefix: Option<&'a str>,
    /// When it was, or is being, created.
    pub created_at: Micros,
    /// When its validity ends.
    pub expires_at: Option<Micros>,
    /// Of what it was granted and how it is restricted.
    pub policy: &'a PolicyFacts,
    /// Whose it is, as its id is written.
    pub owner: &'a str,
    /// How many keys count for its owner in its project, itself included; `None` where nobody
    /// counts them, or where this one does not count.
    pub keys_of_owner: Option<u64>,
    /// The time at which it is judged.
    pub now: Micros,
}

/// What guardrails look at of a policy; the same for all keys that share it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PolicyFacts {
    /// Each permission or pattern that it gives, directly or through a role.
    pub given: Vec<Given>,
    /// Whether it names networks that are not all of IPv4 or IPv6.
    pub has_networks: bool,
    /// Whether it has a rate limit.
    pub has_limits: bool,
}

/// A permission or pattern that a key is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// What.
    pub pattern: Pattern,
    /// Only on these resources; `None` means on all.
    pub resources: Option<Vec<String>>,
    /// Where the key has it: `/permissions/0`, `/roles/1`.
    pub field: String,
}

impl Given {
    /// Whether whoever has this gains nothing by `other`.
    pub(super) fn covers(&self, other: &Self) -> bool {
        self.pattern.covers(&other.pattern)
            && match (&self.resources, &other.resources) {
                (None, _) => true,
                (Some(own), Some(others)) => others.iter().all(|resource| own.contains(resource)),
                (Some(_), None) => false,
            }
    }
}

impl PolicyFacts {
    /// Of a minted key: whatever narrows its parent narrows it, and it spends the parent's limits.
    #[must_use]
    pub fn under(self, parent: &Self) -> Self {
        Self {
            has_networks: self.has_networks || parent.has_networks,
            has_limits: self.has_limits || parent.has_limits,
            ..self
        }
    }

    /// Of a policy, and what each of its roles gives now, by its written id. A role that is not
    /// there gives nothing.
    ///
    /// # Errors
    /// When the policy is none that could have been set.
    pub fn of(spec: &PolicySpec, role: impl Fn(&str) -> Option<PermissionSet>) -> Result<Self, Invalid> {
        let mut given = Vec::with_capacity(spec.permissions.len());
        for (index, grant) in spec.permissions.iter().enumerate() {
            let (name, resources) = match grant {
                PermissionGrant::Everywhere(name) => (name, None),
                PermissionGrant::Narrowed(narrowed) => {
                    (&narrowed.permission, Some(narrowed.resources.clone()))
                }
            };
            let field = format!("/permissions/{index}");
            let pattern = Pattern::parse(name).map_err(|error| error.below(&field))?;
            given.push(Given { pattern, resources, field });
        }
        for (index, grant) in spec.roles.iter().enumerate() {
            let resources = (!grant.resources.is_empty()).then(|| grant.resources.clone());
            given.extend(role(&grant.id).unwrap_or_default().iter().map(|pattern| Given {
                pattern: pattern.clone(),
                resources: resources.clone(),
                field: format!("/roles/{index}"),
            }));
        }
        let networks = spec.restrictions.networks.as_ref().map(NetworkRules::parse).transpose();
        let networks = networks.map_err(|error| error.below("/restrictions/networks"))?;
        Ok(Self {
            given,
            has_networks: networks.is_some_and(|networks| networks.narrows()),
            has_limits: !spec.limits.is_empty(),
        })
    }
}
