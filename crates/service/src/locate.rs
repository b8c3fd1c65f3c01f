//! Where a request to verify looks for its key: as it names, else as the asker's own grant pins it.

use crate::caller::Caller;
use crate::keyring::Scope;
use crate::refused::Refused;
use crate::usage::UnknownPlace;
use crate::{Keystead, management};
use keystead_api::Verify;
use keystead_domain::cells::Place;
use keystead_domain::entry::Entry;
use keystead_domain::ids::{OrganizationId, ProjectId};
use keystead_domain::invalid::Invalid;
use std::sync::Arc;

/// The scope that the asker named, or that its grant pins.
#[derive(Debug)]
pub(crate) struct Where {
    pub(crate) scope: Scope,
    project: Option<ProjectId>,
    place: Option<Arc<Place>>,
    pub(crate) resource: Option<Box<str>>,
}

impl Where {
    /// An environment, by itself.
    pub(crate) fn at(place: &Arc<Place>) -> Self {
        let project = &place.project;
        let scope = Scope::Within {
            organization: project.organization,
            project: Some(project.id),
            environment: Some(place.environment),
        };
        let resource = Some(place.resource.clone());
        Self { scope, project: Some(project.id), place: Some(Arc::clone(place)), resource }
    }

    /// The one environment, where it is one.
    pub(crate) const fn place(&self) -> Option<&Arc<Place>> {
        self.place.as_ref()
    }

    pub(crate) fn unknown(&self, organization: OrganizationId) -> UnknownPlace {
        UnknownPlace {
            organization,
            project: self.project,
            environment: self.place.as_ref().map(|place| place.environment),
        }
    }
}

impl Keystead {
    /// Where to look. A name that does not exist is an error of the asker's, not a verdict on the key.
    pub(crate) fn locate(&self, caller: &Caller, input: &Verify) -> Result<Where, Refused> {
        let organization = caller.organization();
        let pinned =
            if input.project.is_none() || input.environment.is_none() { pin(&caller.entry) } else { None };
        let project = match (&input.project, &pinned) {
            (Some(name), _) => Some(
                self.keyring
                    .directory
                    .project(organization, name)
                    .ok_or_else(|| no_such("/project", "project"))?,
            ),
            (None, Some((project, _))) => self.keyring.directory.project(organization, project),
            (None, None) => None,
        };
        if input.environment.is_some() && project.is_none() {
            // Else the environment would be ignored where no project is needed.
            let what = "The request names an environment and not whose it is.";
            return Err(Invalid::new("/project", what, "Send the project too, or neither.").into());
        }
        let place = match (&input.environment, &project) {
            (Some(name), Some(project)) => Some(
                self.keyring
                    .directory
                    .place(project.id, name)
                    .ok_or_else(|| no_such("/environment", "environment"))?,
            ),
            (None, Some(project)) => pinned
                .and_then(|(_, environment)| environment)
                .and_then(|environment| self.keyring.directory.place(project.id, &environment)),
            (_, None) => None,
        };
        if place.is_none() && !self.is_operator(caller) {
            let field = if project.is_none() { "/project" } else { "/environment" };
            return Err(Invalid::new(field, "The request does not say whose key this should be.", "Send project and environment, or use a key whose keys.verify is narrowed to one environment.").into());
        }
        let resource = place
            .as_ref()
            .map(|place| place.resource.clone())
            .or_else(|| project.as_ref().map(|project| project.resource.clone()));
        let scope = Scope::Within {
            organization,
            project: project.as_ref().map(|project| project.id),
            environment: place.as_ref().map(|place| place.environment),
        };
        Ok(Where { scope, project: project.map(|project| project.id), place, resource })
    }
}

/// The project, and perhaps the environment, that every grant of `keys.verify` is narrowed to.
fn pin(entry: &Entry) -> Option<(String, Option<String>)> {
    let catalogue = entry.place.project.catalogue.load();
    let mut pinned: Option<(String, Option<String>)> = None;
    for grant in entry.policy.grants.iter().filter(|grant| grant.gives(&catalogue, management::KEYS_VERIFY)) {
        for resource in grant.resources.as_ref()?.iter().map(ToString::to_string) {
            let mut segments = resource.split('/');
            let ("projects", Some(project)) = (segments.next()?, segments.next()) else {
                return None;
            };
            let environment = match (segments.next(), segments.next()) {
                (Some("environments"), Some(environment)) if !environment.contains('*') => {
                    Some(environment.to_owned())
                }
                _ => None,
            };
            let this = (project.to_owned(), environment);
            match &pinned {
                Some(other) if *other != this => return None,
                _ if this.0.contains('*') => return None,
                _ => pinned = Some(this),
            }
        }
    }
    pinned
}

fn no_such(field: &str, what: &str) -> Refused {
    Refused::unknown(
        field,
        format!("There is no such {what}."),
        format!("Send the id or slug of one of your {what}s."),
    )
}
