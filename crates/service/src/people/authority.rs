//! What members and teams are granted: read as sent, stored by ids, and given only by who may give it.
//!
//! Keystead's own rights are given by who has them. The rights of a project's API are given by who has
//! `authority.grant` there: who looks after people need not have what they may do.

use crate::caller::Caller;
use crate::key_grants::wider;
use crate::organizations::PREFIX;
use crate::present::json;
use crate::refused::Refused;
use crate::widening::covers;
use crate::{Keystead, cells, management};
use keystead_api::AuthorityGrant;
use keystead_domain::authority::{Authority, EVERY_PROJECT, GRANTS_MAX, Over};
use keystead_domain::cells::{Catalogue, ProjectCell};
use keystead_domain::ids::{OrganizationId, RoleId};
use keystead_domain::invalid::Invalid;
use keystead_domain::pattern::{Pattern, PermissionSet};
use keystead_domain::resource::ResourcePattern;
use keystead_store::Tx;
use std::sync::Arc;

const FIELD: &str = "/grants";

impl Keystead {
    /// Grants as they are stored, with ids for names. Checked in the transaction that stores them: every name
    /// exists, nothing is there twice, and the caller may give what was not there before.
    pub(super) async fn read_grants(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        sent: &[AuthorityGrant],
        before: &[AuthorityGrant],
    ) -> Result<Vec<AuthorityGrant>, Refused> {
        if sent.len() > GRANTS_MAX {
            let fix = format!("Send at most {GRANTS_MAX}, patterns, or roles.");
            return Err(Invalid::new(FIELD, "There are too many grants.", fix).into());
        }
        let mut grants: Vec<AuthorityGrant> = Vec::with_capacity(sent.len());
        for (index, grant) in sent.iter().enumerate() {
            let field = format!("{FIELD}/{index}");
            let stored = self.read_grant(tx, caller, &field, grant).await?;
            if grants.contains(&stored) {
                return Err(Invalid::new(field, "This grant is there twice.", "Send it once.").into());
            }
            grants.push(stored);
        }
        Authority::compile(&grants, |id| self.keyring.directory.role(id))
            .map_err(|invalid| invalid.below(FIELD))?;
        let new: Vec<AuthorityGrant> =
            grants.iter().filter(|grant| !before.contains(grant)).cloned().collect();
        self.may_give(tx, caller, &new).await?;
        Ok(grants)
    }

    async fn read_grant(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        field: &str,
        sent: &AuthorityGrant,
    ) -> Result<AuthorityGrant, Refused> {
        let mut grant = sent.clone();
        let project = self.project_of(caller, field, &mut grant)?;
        if let (Some(project), Some(environment)) = (&project, &grant.environment) {
            let place = self.keyring.directory.place(project.id, environment).ok_or_else(|| {
                Refused::unknown(
                    format!("{field}/environment"),
                    "The project has no such environment.",
                    "Send the id or slug of one of its environments.",
                )
            })?;
            grant.environment = Some(place.environment.to_string());
        }
        if project.as_ref().is_some_and(|project| project.system) {
            self.resources_by_id(caller, &mut grant.resources, field)?;
            grant.environment = None;
        }
        if let Some(role) = &grant.role {
            let project = project.as_ref().ok_or_else(|| no_role(field))?;
            let row = match role.parse::<RoleId>() {
                Ok(id) => tx.role(project.organization, id).await?.filter(|row| row.project_id == project.id),
                Err(_) => tx.role_by_name(project.id, role).await?,
            };
            let row = row.ok_or_else(|| no_role(field))?;
            // It cannot be widened between this look and the commit.
            tx.hold_role(row.organization_id, row.id).await?;
            grant.role = Some(row.id.to_string());
        }
        if let Some(permission) = &grant.permission {
            let pattern = Pattern::parse(permission)
                .map_err(|invalid| invalid.below(&format!("{field}/permission")))?;
            if !self.is_grounded(tx, caller.organization(), project.as_deref(), &pattern).await? {
                return Err(Refused::unknown(
                    format!("{field}/permission"),
                    format!("No catalogue there has anything that is {pattern}."),
                    "Send what is in the project's catalogue, or add it there first.",
                ));
            }
        }
        Ok(grant)
    }

    /// The project that a grant names, by its id in the grant from now on: nothing for every project.
    fn project_of(
        &self,
        caller: &Caller,
        field: &str,
        grant: &mut AuthorityGrant,
    ) -> Result<Option<Arc<ProjectCell>>, Refused> {
        let directory = &self.keyring.directory;
        let named = match grant.project.as_deref() {
            Some(EVERY_PROJECT) => return Ok(None),
            named => named.unwrap_or(PREFIX),
        };
        let project = directory.project(caller.organization(), named).ok_or_else(|| {
            Refused::unknown(
                format!("{field}/project"),
                "There is no such project.",
                "Send the id or slug of one of your projects, `*` for all, or nothing for Keystead itself.",
            )
        })?;
        grant.project = (!project.system).then(|| project.id.to_string());
        Ok(Some(project))
    }

    /// Whether a catalogue knows what a pattern stands for: that of the project, or of any.
    async fn is_grounded(
        &self,
        tx: &mut Tx,
        organization: OrganizationId,
        project: Option<&ProjectCell>,
        pattern: &Pattern,
    ) -> Result<bool, Refused> {
        if let Some(project) = project {
            let catalogue: Catalogue = cells::catalogue(&tx.permissions_in(project.id).await?);
            return Ok(catalogue.grounds(pattern));
        }
        let projects = self.keyring.directory.projects_of(organization);
        Ok(projects.iter().any(|project| !project.system && project.catalogue.load().grounds(pattern)))
    }

    /// Refuses to give on what the caller may not give. Also whatever brings somebody what was granted before:
    /// a place in a team, being enabled again, an invitation.
    ///
    /// # Errors
    /// Names the first grant that the caller may not give.
    pub(crate) async fn may_give(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        grants: &[AuthorityGrant],
    ) -> Result<(), Refused> {
        for grant in grants {
            let over = Over::read(grant)?;
            let may =
                match over {
                    Over::Keystead => {
                        let patterns = patterns_of(tx, caller, grant).await?;
                        let has = has(caller, &patterns, grant)?;
                        if has && caller.member().is_some() && makes_an_administrator(&patterns) {
                            self.stepped_up(caller)?;
                        }
                        has
                    }
                    Over::EveryProject => caller.may(management::AUTHORITY_GRANT, None),
                    Over::Project(id) => self.keyring.directory.project_by_id(id).is_some_and(|project| {
                        caller.may(management::AUTHORITY_GRANT, Some(&project.resource))
                    }),
                    Over::Environment(id) => {
                        self.keyring.directory.place_by_id(id).is_some_and(|place| {
                            caller.may(management::AUTHORITY_GRANT, Some(&place.resource))
                        })
                    }
                };
            if !may {
                return Err(match over {
                    Over::Keystead => wider(describe(grant)),
                    Over::EveryProject | Over::Project(_) | Over::Environment(_) => Refused::Forbidden {
                        permission: management::AUTHORITY_GRANT,
                        resource: format!("{}, to give {}", self.where_of(over), describe(grant)),
                    },
                });
            }
        }
        Ok(())
    }

    fn where_of(&self, over: Over) -> String {
        let directory = &self.keyring.directory;
        let resource = match over {
            Over::Project(id) => directory.project_by_id(id).map(|project| project.resource.to_string()),
            Over::Environment(id) => directory.place_by_id(id).map(|place| place.resource.to_string()),
            Over::Keystead | Over::EveryProject => None,
        };
        resource.unwrap_or_else(|| "the organization".into())
    }

    /// Stored grants as the API shows them: by names, where the named still exist.
    pub(super) fn show_grants(&self, grants: &str) -> Result<Vec<AuthorityGrant>, Refused> {
        let directory = &self.keyring.directory;
        let mut grants: Vec<AuthorityGrant> = json(grants)?;
        for grant in &mut grants {
            let place = grant.environment.as_ref().and_then(|id| directory.place_by_id(id.parse().ok()?));
            let project = grant.project.as_ref().and_then(|id| directory.project_by_id(id.parse().ok()?));
            let role = grant.role.as_ref().and_then(|id| directory.role(id.parse().ok()?));
            grant.environment = place.map(|place| place.slug.to_string()).or(grant.environment.take());
            grant.project = project.map(|project| project.slug.to_string()).or(grant.project.take());
            grant.role = role.map(|role| role.name.to_string()).or(grant.role.take());
            if grant.project.is_none() {
                grant.resources = grant.resources.iter().map(|resource| self.by_slugs(resource)).collect();
            }
        }
        Ok(grants)
    }

    /// A project or environment by its slugs, where it is stored by ids; all that is in it is meant.
    fn by_slugs(&self, resource: &str) -> String {
        let directory = &self.keyring.directory;
        let segments: Vec<&str> = resource.split('/').collect();
        let found = match segments.as_slice() {
            ["projects", project, "**"] => project
                .parse()
                .ok()
                .and_then(|id| directory.project_by_id(id))
                .map(|project| format!("projects/{}", project.slug)),
            ["projects", _, "environments", environment, "**"] => environment
                .parse()
                .ok()
                .and_then(|id| directory.place_by_id(id))
                .map(|place| format!("projects/{}/environments/{}", place.project.slug, place.slug)),
            _ => None,
        };
        found.unwrap_or_else(|| resource.to_owned())
    }
}

/// What a grant for Keystead itself gives. The role is read in the transaction, which holds it: it cannot be widened
/// meanwhile.
async fn patterns_of(tx: &mut Tx, caller: &Caller, grant: &AuthorityGrant) -> Result<PermissionSet, Refused> {
    match (&grant.permission, &grant.role) {
        (Some(permission), _) => Ok(PermissionSet::parse(std::slice::from_ref(permission))?),
        (None, Some(role)) => {
            let id = role.parse::<RoleId>().map_err(|_| Refused::not_found("role"))?;
            tx.hold_role(caller.organization(), id).await?;
            let row = tx.role(caller.organization(), id).await?.ok_or(Refused::not_found("role"))?;
            cells::role_permissions(&row)
        }
        (None, None) => Ok(PermissionSet::default()),
    }
}

/// Whether the caller has all of these, where the grant holds.
fn has(caller: &Caller, patterns: &PermissionSet, grant: &AuthorityGrant) -> Result<bool, Refused> {
    let resources: Vec<ResourcePattern> =
        grant.resources.iter().map(|text| ResourcePattern::parse(text)).collect::<Result<_, _>>()?;
    let resources = (!resources.is_empty()).then_some(&resources[..]);
    Ok(patterns.iter().all(|pattern| covers(&caller.entry, pattern, resources)))
}

/// Whether whoever has these decides what others may do: a person gives that only in a session in which they proved
/// their second factor a moment ago.
fn makes_an_administrator(patterns: &PermissionSet) -> bool {
    let rights = [
        management::PEOPLE_WRITE,
        management::AUTHORITY_GRANT,
        management::APPROVALS_DECIDE,
        management::APPROVALS_BREAK_GLASS,
    ];
    rights.iter().any(|right| patterns.allows(right))
}

/// The roles that stored grants name.
pub(super) fn roles_of(grants: &[AuthorityGrant]) -> Vec<RoleId> {
    grants.iter().filter_map(|grant| grant.role.as_ref()?.parse().ok()).collect()
}

fn describe(grant: &AuthorityGrant) -> String {
    match (&grant.permission, &grant.role) {
        (Some(permission), _) => permission.clone(),
        (None, Some(role)) => format!("the role {role}"),
        (None, None) => "nothing".into(),
    }
}

fn no_role(field: &str) -> Refused {
    Refused::unknown(
        format!("{field}/role"),
        "There is no such role there.",
        "Send the name or id of a role of the project, or name the role's project.",
    )
}
