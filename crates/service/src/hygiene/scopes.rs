//! Which keys a report is about: those of whole projects, or of the environments that the caller may see.

use crate::audit_list::no_project;
use crate::caller::Caller;
use crate::create_keys::no_environment;
use crate::refused::Refused;
use crate::{Keystead, management};
use keystead_api::HygieneQuery;
use keystead_domain::cells::{Place, ProjectCell};
use keystead_domain::ids::EnvironmentId;
use keystead_domain::invalid::Invalid;
use std::sync::Arc;

/// A project, or one of its environments.
#[derive(Debug)]
pub(super) struct Scope {
    /// The environment's id, or the project's.
    pub(super) id: [u8; 16],
    pub(super) project: Arc<ProjectCell>,
    pub(super) environment: Option<EnvironmentId>,
    resource: Box<str>,
}

impl Scope {
    fn whole(project: &Arc<ProjectCell>) -> Self {
        Self {
            id: project.id.0,
            project: Arc::clone(project),
            environment: None,
            resource: project.resource.clone(),
        }
    }

    fn part(place: &Place) -> Self {
        Self {
            id: place.environment.0,
            project: Arc::clone(&place.project),
            environment: Some(place.environment),
            resource: place.resource.clone(),
        }
    }
}

impl Keystead {
    /// What the caller asks about and may see, in the order of the ids.
    pub(super) async fn hygiene_scopes(
        self: &Arc<Self>,
        caller: &Caller,
        query: &HygieneQuery,
    ) -> Result<Vec<Scope>, Refused> {
        let directory = &self.keyring.directory;
        let (projects, resource) = match &query.project {
            None if query.environment.is_some() => {
                let what = "An environment is one of a project, and this names none.";
                return Err(Invalid::new("/environment", what, "Send `project`, too.").into());
            }
            None => (directory.projects_of(caller.organization()), None),
            Some(named) => {
                let project = directory.project(caller.organization(), named).ok_or_else(no_project)?;
                let resource = project.resource.clone();
                (vec![project], Some(resource))
            }
        };
        if let (Some(named), [project]) = (&query.environment, projects.as_slice()) {
            let Some(place) = directory.place(project.id, named) else {
                self.authorise(caller, management::KEYS_READ, Some(&project.resource)).await?;
                return Err(no_environment());
            };
            self.authorise(caller, management::KEYS_READ, Some(&place.resource)).await?;
            return Ok(vec![Scope::part(&place)]);
        }
        let may = |resource: &str| caller.may(management::KEYS_READ, Some(resource));
        let mut scopes = Vec::new();
        for project in &projects {
            if may(&project.resource) {
                scopes.push(Scope::whole(project));
            } else {
                let places = directory.places_of(project.id);
                scopes.extend(
                    places.iter().filter(|place| may(&place.resource)).map(|place| Scope::part(place)),
                );
            }
        }
        scopes.sort_unstable_by_key(|scope| scope.id);
        let resource = scopes.first().map(|scope| scope.resource.clone()).or(resource);
        self.authorise(caller, management::KEYS_READ, resource.as_deref()).await?;
        Ok(scopes)
    }
}
