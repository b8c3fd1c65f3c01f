//! A described request as policies see it.

use super::language;
use crate::Keystead;
use crate::caller::Caller;
use crate::management;
use crate::people::team_named;
use crate::refused::Refused;
use keystead_api::{KeyKind, OwnerKind, PolicyCase, PolicyPrincipal, PolicyPrincipalType};
use keystead_domain::cells::{Place, ProjectCell};
use keystead_domain::ids::{KeyId, MemberId, ProjectId};
use keystead_domain::invalid::{Invalid, texts_at_most};
use keystead_domain::name;
use keystead_domain::time::Micros;
use keystead_policies::{
    Circumstances, KeyFacts, MINT, Named, Owner, PersonFacts, Rules, Subject, Target, VERIFY, Who,
};
use std::sync::Arc;

const PERMISSIONS_MAX: usize = 64;
const TEAMS_MAX: usize = 64;
const TEXT_BYTES_MAX: usize = 2_048;

/// A described request.
pub(super) struct Asked {
    pub(super) subject: Subject,
    pub(super) action: String,
    pub(super) project: Option<ProjectId>,
    pub(super) target: Target,
    pub(super) circumstances: Circumstances,
}

/// What is acted on.
#[derive(Default)]
struct Site {
    project: Option<Arc<ProjectCell>>,
    place: Option<Arc<Place>>,
}

impl Site {
    fn target(&self) -> Target {
        Target {
            project: self.project.as_deref().map(project_of),
            environment: self.place.as_deref().map(environment_of),
        }
    }
}

impl Keystead {
    pub(super) async fn asked_by(&self, caller: &Caller, case: &PolicyCase) -> Result<Asked, Refused> {
        name::display_name("/name", &case.name)?;
        let action = case.action.clone().unwrap_or_else(|| VERIFY.to_owned());
        if !language()?.knows(&action) {
            let fix = "Send `verify`, `mint`, or a permission of Keystead's own, such as `keys.delete`.";
            return Err(Invalid::new("/action", "There is no such action.", fix).into());
        }
        let is_of_key = action == VERIFY || action == MINT;
        let named = self.site(caller, "", case.project.as_deref(), case.environment.as_deref())?;
        let (subject, own) = match (&case.key, &case.principal) {
            (Some(id), None) => self.known_key(caller, id)?,
            (None, Some(principal)) => self.described(caller, principal, &named).await?,
            _ => {
                let fix = "Send `key`, the id of a key, or `principal`, which describes one.";
                return Err(Invalid::new("/principal", "It is not said who acts.", fix).into());
            }
        };
        if is_of_key && !matches!(subject.who, Who::Key(_)) {
            let fix = "Describe a key, or name what the person does: a permission of Keystead's own.";
            return Err(Invalid::new("/principal", "Only keys are verified.", fix).into());
        }
        // A key is verified where it is valid.
        let site = if is_of_key { own } else { named };
        Ok(Asked {
            subject,
            action,
            project: site.project.as_ref().map(|project| project.id),
            target: site.target(),
            circumstances: self.circumstances(case)?,
        })
    }

    fn circumstances(&self, case: &PolicyCase) -> Result<Circumstances, Refused> {
        let texts = [
            ("/resource", &case.resource),
            ("/method", &case.method),
            ("/path", &case.path),
            ("/origin", &case.origin),
        ];
        texts_at_most(TEXT_BYTES_MAX, &texts)?;
        if case.permissions.len() > PERMISSIONS_MAX {
            let fix = format!("Send at most {PERMISSIONS_MAX}.");
            return Err(Invalid::new("/permissions", "There are too many permissions.", fix).into());
        }
        for (index, permission) in case.permissions.iter().enumerate() {
            name::permission_name(&format!("/permissions/{index}"), permission)?;
        }
        Ok(Circumstances {
            now: case.time.map_or_else(|| self.clock.now(), Micros::from),
            ip: case.ip,
            permissions: case.permissions.clone(),
            resource: case.resource.clone(),
            method: case.method.clone(),
            path: case.path.clone(),
            origin: case.origin.clone(),
        })
    }

    /// A key that exists, where the caller may see keys.
    fn known_key(&self, caller: &Caller, id: &str) -> Result<(Subject, Site), Refused> {
        let entry = id.parse::<KeyId>().ok().and_then(|id| self.keyring.get(id));
        let entry = entry.filter(|entry| {
            entry.place.project.organization == caller.organization()
                && caller.may(management::KEYS_READ, Some(&entry.place.resource))
        });
        let entry = entry.ok_or_else(|| {
            Refused::unknown(
                "/key",
                "There is no such key, or you may not see it.",
                "Send a key's id: key_….",
            )
        })?;
        let site =
            Site { project: Some(Arc::clone(&entry.place.project)), place: Some(Arc::clone(&entry.place)) };
        Ok((Rules::subject(&entry), site))
    }

    fn site(
        &self,
        caller: &Caller,
        parent: &str,
        project: Option<&str>,
        environment: Option<&str>,
    ) -> Result<Site, Refused> {
        let directory = &self.keyring.directory;
        let Some(project) = project else {
            if environment.is_some() {
                let what = "An environment is one of a project, and this names none.";
                let field = format!("{parent}/environment");
                return Err(Invalid::new(field, what, "Send `project`, too.").into());
            }
            return Ok(Site::default());
        };
        let project = directory.project(caller.organization(), project).ok_or_else(|| {
            let fix = "Send the id or slug of one of your projects.";
            Refused::unknown(format!("{parent}/project"), "There is no such project.", fix)
        })?;
        let place = match environment {
            None => None,
            Some(named) => Some(directory.place(project.id, named).ok_or_else(|| {
                let fix = "Send the id or slug of one of its environments.";
                let field = format!("{parent}/environment");
                Refused::unknown(field, "The project has no such environment.", fix)
            })?),
        };
        Ok(Site { project: Some(project), place })
    }

    async fn described(
        &self,
        caller: &Caller,
        principal: &PolicyPrincipal,
        named: &Site,
    ) -> Result<(Subject, Site), Refused> {
        const AT: &str = "/principal";
        if principal.tags.len() > name::TAGS_MAX || principal.teams.len() > TEAMS_MAX {
            return Err(Invalid::new(AT, "There are too many tags or teams.", "Send fewer.").into());
        }
        let texts = [("/principal/id", &principal.id), ("/principal/owner", &principal.owner)];
        texts_at_most(TEXT_BYTES_MAX, &texts)?;
        let organization = caller.organization().to_string();
        let teams = self.teams_of(caller, &principal.teams).await?;
        let owner = principal.owner.clone().unwrap_or_default();
        let nobody = MemberId([0; 16]).to_string();
        if principal.is == PolicyPrincipalType::Member {
            let member = Named { id: principal.id.clone().unwrap_or(nobody), name: owner };
            return Ok((
                Subject { organization, who: Who::Member(PersonFacts { member, teams }) },
                Site::default(),
            ));
        }
        let own = match &principal.project {
            Some(project) => self.site(caller, AT, Some(project), principal.environment.as_deref())?,
            None => Site { project: named.project.clone(), place: named.place.clone() },
        };
        let (Some(project), Some(place)) = (&own.project, &own.place) else {
            let fix = "Send the `project` and the `environment` that the key is valid in.";
            return Err(Invalid::new("/environment", "A key is one of an environment.", fix).into());
        };
        let owner = Named { id: nobody, name: owner };
        let facts = KeyFacts {
            id: principal.id.clone().unwrap_or_else(|| KeyId::NONE.to_string()),
            kind: principal.kind.unwrap_or(KeyKind::Private).as_str().to_owned(),
            tags: principal.tags.clone(),
            project: project_of(project),
            environment: environment_of(place),
            owner: match principal.owner_kind {
                None | Some(OwnerKind::ServiceAccount) => Owner::ServiceAccount(owner),
                Some(OwnerKind::Consumer) => Owner::Consumer(owner),
                Some(OwnerKind::Member) => Owner::Member(owner),
                Some(OwnerKind::TeamMember) => Owner::TeamMember(owner),
            },
            teams,
            consumer: principal.consumer.clone().map(|name| Named { id: "consumer".into(), name }),
            expires_at: principal.expires_at.map(|at| at.as_second()),
            minted: principal.minted,
        };
        Ok((Subject { organization, who: Who::Key(Box::new(facts)) }, own))
    }

    /// Teams by name or id; one that does not exist has only the name that was sent.
    async fn teams_of(&self, caller: &Caller, sent: &[String]) -> Result<Vec<Named>, Refused> {
        let mut teams = Vec::with_capacity(sent.len());
        let mut reader = self.store.read().await?;
        for name in sent {
            let row = team_named(&mut reader, caller.organization(), name).await?;
            teams.push(match row {
                Some(row) => Named { id: row.id.to_string(), name: row.name },
                None => Named { id: name.clone(), name: name.clone() },
            });
        }
        Ok(teams)
    }
}

fn project_of(project: &ProjectCell) -> Named {
    Named { id: project.id.to_string(), name: project.slug.to_string() }
}

fn environment_of(place: &Place) -> Named {
    Named { id: place.environment.to_string(), name: place.slug.to_string() }
}
