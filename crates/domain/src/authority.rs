//! What a member or a team may do: grants in the whole organization, a project or an environment. Asked at each
//! request, so that what is taken away is gone on the next one.

use crate::cells::{Place, RoleCell};
use crate::ids::{EnvironmentId, ProjectId, RoleId};
use crate::invalid::Invalid;
use crate::pattern::Pattern;
use crate::policy::{Given, Grant, compile_resources};
use crate::resource::ResourcePattern;
use keystead_api::AuthorityGrant;
use std::sync::Arc;

/// The most grants of one member or team.
pub const GRANTS_MAX: usize = 64;
/// What stands for every project's API.
pub const EVERY_PROJECT: &str = "*";

/// What a member or team was granted, compiled.
#[derive(Debug, Clone, Default)]
pub struct Authority(Box<[Held]>);

/// One thing granted, and where it holds.
#[derive(Debug, Clone)]
struct Held {
    over: Over,
    grant: Grant,
}

/// Whose API something is granted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    /// Keystead's own: managing.
    Keystead,
    /// That of every project there is and will be.
    EveryProject,
    /// That of a project, in all of its environments.
    Project(ProjectId),
    /// That of a project in one environment.
    Environment(EnvironmentId),
}

impl Over {
    /// As a stored grant says it: ids only.
    ///
    /// # Errors
    /// With the field.
    pub fn read(grant: &AuthorityGrant) -> Result<Self, Invalid> {
        let invalid =
            |field: &str| Invalid::new(field, "This names no such thing.", "Send an id, or name it.");
        match (grant.project.as_deref(), grant.environment.as_deref()) {
            (None, None) => Ok(Self::Keystead),
            (Some(EVERY_PROJECT), None) => Ok(Self::EveryProject),
            (Some(project), None) => project.parse().map(Self::Project).map_err(|_| invalid("/project")),
            (Some(_), Some(environment)) => {
                environment.parse().map(Self::Environment).map_err(|_| invalid("/environment"))
            }
            (None, Some(_)) => Err(Invalid::new(
                "/environment",
                "An environment needs its project.",
                "Name the project too.",
            )),
        }
    }

    /// Whether what is granted here holds for keys of this place.
    #[must_use]
    pub fn holds(&self, place: &Place) -> bool {
        match self {
            Self::Keystead => place.project.system,
            Self::EveryProject => !place.project.system,
            Self::Project(project) => *project == place.project.id,
            Self::Environment(environment) => *environment == place.environment,
        }
    }
}

impl Authority {
    /// Compiles stored grants, in which projects, environments and roles are ids.
    ///
    /// # Errors
    /// With the field, as a JSON pointer into the grants.
    pub fn compile(
        grants: &[AuthorityGrant],
        role: impl Fn(RoleId) -> Option<Arc<RoleCell>>,
    ) -> Result<Self, Invalid> {
        if grants.len() > GRANTS_MAX {
            return Err(Invalid::new(
                "",
                "There are too many grants.",
                format!("Use at most {GRANTS_MAX}, patterns, or roles."),
            ));
        }
        let held = grants.iter().enumerate().map(|(index, grant)| {
            Held::compile(grant, &role).map_err(|invalid| invalid.below(&format!("/{index}")))
        });
        held.collect::<Result<_, _>>().map(Self)
    }

    /// What of it holds for keys of this place.
    pub fn at(&self, place: &Place) -> impl Iterator<Item = &Grant> {
        self.0.iter().filter(|held| held.over.holds(place)).map(|held| &held.grant)
    }

    /// Whether it gives `permission` on `resource` in this place.
    #[must_use]
    pub fn gives(&self, place: &Place, permission: &str, resource: Option<&str>) -> bool {
        self.at(place).any(|grant| {
            grant.gives_if(permission, || place.project.catalogue.load().knows(permission))
                && grant.reaches(resource)
        })
    }

    /// Whether one grant covers everything that `pattern` stands for on `resource` (`None`: on all).
    #[must_use]
    pub fn covers(&self, place: &Place, pattern: &Pattern, resource: Option<&ResourcePattern>) -> bool {
        self.at(place).any(|grant| grant.covers(pattern, resource))
    }
}

impl Held {
    fn compile(
        grant: &AuthorityGrant,
        role: &impl Fn(RoleId) -> Option<Arc<RoleCell>>,
    ) -> Result<Self, Invalid> {
        let over = Over::read(grant)?;
        let given = match (&grant.permission, &grant.role) {
            (Some(permission), None) => {
                Given::Permission(Pattern::parse(permission).map_err(|invalid| invalid.below("/permission"))?)
            }
            (None, Some(_)) if over == Over::EveryProject => {
                return Err(Invalid::new(
                    "/role",
                    "A role belongs to one project.",
                    "Grant a permission or a pattern in every project, or name the role's project.",
                ));
            }
            (None, Some(id)) => Given::Role(id.parse().ok().and_then(role).ok_or_else(|| {
                Invalid::new(
                    "/role",
                    "This role does not exist.",
                    "List the project's roles, or create it first.",
                )
            })?),
            (None, None) | (Some(_), Some(_)) => {
                return Err(Invalid::new(
                    "",
                    "A grant gives either a permission or a role.",
                    "Send `permission` or `role`, not both.",
                ));
            }
        };
        let resources = match &grant.resources[..] {
            [] => None,
            resources => Some(compile_resources(resources)?),
        };
        Ok(Self { over, grant: Grant { given, resources } })
    }
}

#[cfg(test)]
mod tests;
