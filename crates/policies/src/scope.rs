//! Whom and what a policy is about, as its head says it: asked of every key before anything is evaluated, and so
//! without allocation. It may answer yes too often, never no.

use crate::language::{Kind, Language};
use arc_swap::Guard;
use cedar_policy::{
    ActionConstraint, EntityTypeName, EntityUid, Policy, PrincipalConstraint, ResourceConstraint,
};
use keystead_domain::cells::PrincipalState;
use keystead_domain::entry::Entry;
use keystead_domain::ids::{
    ConsumerId, EnvironmentId, KeyId, MemberId, OrganizationId, OwnerId, ProjectId, ServiceAccountId, TeamId,
};
use keystead_domain::reach::Reach;
use std::cell::OnceCell;
use std::sync::Arc;

/// The head of a policy.
#[derive(Debug)]
pub(crate) struct Scope {
    pub(crate) about: About,
    /// `None`: every action.
    actions: Option<Box<[Box<str>]>>,
}

/// Whose deeds, and where.
#[derive(Debug, Clone, Copy)]
pub(crate) struct About {
    principal: Head,
    resource: Head,
}

#[derive(Debug, Clone, Copy)]
enum Head {
    Any,
    Is(Kind),
    Eq(Thing),
    In(Thing),
    IsIn(Kind, Thing),
}

/// A thing that a policy names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Thing {
    Organization(OrganizationId),
    Project(ProjectId),
    Environment(EnvironmentId),
    Team(TeamId),
    Member(MemberId),
    ServiceAccount(ServiceAccountId),
    Consumer(ConsumerId),
    Key(KeyId),
    /// Of what this is, only Cedar is asked.
    Other,
}

impl Thing {
    /// `None` where the id is not one of its type: nothing would ever be it.
    pub(crate) fn read(uid: &EntityUid) -> Option<Self> {
        let id = uid.id().unescaped();
        Some(match Kind::named(&uid.type_name().to_string()) {
            Some(Kind::Organization) => Self::Organization(id.parse().ok()?),
            Some(Kind::Project) => Self::Project(id.parse().ok()?),
            Some(Kind::Environment) => Self::Environment(id.parse().ok()?),
            Some(Kind::Team) => Self::Team(id.parse().ok()?),
            Some(Kind::Member) => Self::Member(id.parse().ok()?),
            Some(Kind::ServiceAccount) => Self::ServiceAccount(id.parse().ok()?),
            Some(Kind::Consumer) => Self::Consumer(id.parse().ok()?),
            Some(Kind::Key) => Self::Key(id.parse().ok()?),
            Some(Kind::Action) | None => Self::Other,
        })
    }

    fn of(uid: &EntityUid) -> Self {
        Self::read(uid).unwrap_or(Self::Other)
    }
}

/// What is acted on, by ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Site {
    pub(crate) organization: OrganizationId,
    pub(crate) project: Option<ProjectId>,
    pub(crate) environment: Option<EnvironmentId>,
}

impl Site {
    /// Where a key is valid.
    pub(crate) fn of(entry: &Entry) -> Self {
        let place = &entry.place;
        Self {
            organization: place.project.organization,
            project: Some(place.project.id),
            environment: Some(place.environment),
        }
    }

    /// As permissions name it: `projects/prj_…/environments/env_…`, or nothing for the organization.
    pub(crate) fn read(organization: OrganizationId, resource: Option<&str>) -> Self {
        let mut segments = resource.unwrap_or_default().split('/');
        let project = match (segments.next(), segments.next()) {
            (Some("projects"), Some(project)) => project.parse().ok(),
            _ => None,
        };
        let environment = match (project, segments.next(), segments.next()) {
            (Some(_), Some("environments"), Some(environment)) => environment.parse().ok(),
            _ => None,
        };
        Self { organization, project, environment }
    }

    const fn kind(&self) -> Kind {
        match (self.project, self.environment) {
            (None, _) => Kind::Organization,
            (Some(_), None) => Kind::Project,
            (Some(_), Some(_)) => Kind::Environment,
        }
    }

    fn is(&self, thing: &Thing) -> bool {
        match thing {
            Thing::Environment(id) => self.environment == Some(*id),
            Thing::Project(id) => self.environment.is_none() && self.project == Some(*id),
            Thing::Organization(id) => self.project.is_none() && self.organization == *id,
            Thing::Other => true,
            _ => false,
        }
    }

    fn is_in(&self, thing: &Thing) -> bool {
        match thing {
            Thing::Environment(id) => self.environment == Some(*id),
            Thing::Project(id) => self.project == Some(*id),
            Thing::Organization(id) => self.organization == *id,
            Thing::Other => true,
            _ => false,
        }
    }
}

impl Scope {
    pub(crate) fn of(language: &Language, policy: &Policy) -> Self {
        let type_named = |name: &EntityTypeName| Kind::named(&name.to_string());
        let is = |name: &EntityTypeName| type_named(name).map_or(Head::Any, Head::Is);
        let is_in = |name: &EntityTypeName, uid: &EntityUid| {
            type_named(name).map_or(Head::Any, |kind| Head::IsIn(kind, Thing::of(uid)))
        };
        let principal = match policy.principal_constraint() {
            PrincipalConstraint::Any => Head::Any,
            PrincipalConstraint::In(uid) => Head::In(Thing::of(&uid)),
            PrincipalConstraint::Eq(uid) => Head::Eq(Thing::of(&uid)),
            PrincipalConstraint::Is(name) => is(&name),
            PrincipalConstraint::IsIn(name, uid) => is_in(&name, &uid),
        };
        let resource = match policy.resource_constraint() {
            ResourceConstraint::Any => Head::Any,
            ResourceConstraint::In(uid) => Head::In(Thing::of(&uid)),
            ResourceConstraint::Eq(uid) => Head::Eq(Thing::of(&uid)),
            ResourceConstraint::Is(name) => is(&name),
            ResourceConstraint::IsIn(name, uid) => is_in(&name, &uid),
        };
        let named = |uids: &[EntityUid]| -> Box<[Box<str>]> {
            uids.iter().flat_map(|uid| language.members(uid.id().unescaped())).map(Into::into).collect()
        };
        let actions = match policy.action_constraint() {
            ActionConstraint::Any => None,
            // `==` a group is nobody's act.
            ActionConstraint::Eq(uid) => Some(Box::from([uid.id().unescaped().into()])),
            ActionConstraint::In(uids) => Some(named(&uids)),
        };
        Self { about: About { principal, resource }, actions }
    }

    /// Whether it can be about this action.
    pub(crate) fn is_about(&self, action: &str) -> bool {
        self.actions.as_ref().is_none_or(|actions| actions.iter().any(|one| **one == *action))
    }
}

/// A key, or a person, of whom policies are asked; what their owner is now is read once.
pub(crate) struct Doer<'a> {
    entry: &'a Entry,
    owner: OnceCell<Guard<Arc<PrincipalState>>>,
}

impl<'a> Doer<'a> {
    pub(crate) const fn new(entry: &'a Entry) -> Self {
        Self { entry, owner: OnceCell::new() }
    }

    /// With their owner as it was then.
    pub(crate) fn whose_owner_was(entry: &'a Entry, owner: &Arc<PrincipalState>) -> Self {
        Self { entry, owner: OnceCell::from(Guard::from_inner(Arc::clone(owner))) }
    }

    fn owner(&self) -> &PrincipalState {
        self.owner.get_or_init(|| self.entry.owner.state.load())
    }

    fn is(&self, thing: &Thing) -> bool {
        let entry = self.entry;
        match thing {
            Thing::Key(id) => !entry.is_session() && entry.id == *id,
            Thing::Member(id) => entry.is_session() && entry.owner.id == OwnerId::Member(*id),
            Thing::Other => true,
            _ => false,
        }
    }

    fn is_in(&self, thing: &Thing) -> bool {
        let (entry, place) = (self.entry, &self.entry.place);
        let is_key = !entry.is_session();
        let issued_to =
            |id: OwnerId| entry.owner.id == id || entry.consumer.as_ref().is_some_and(|one| one.id == id);
        match thing {
            Thing::Organization(id) => place.project.organization == *id,
            Thing::Project(id) => is_key && place.project.id == *id,
            Thing::Environment(id) => is_key && place.environment == *id,
            Thing::ServiceAccount(id) => issued_to(OwnerId::ServiceAccount(*id)),
            Thing::Consumer(id) => issued_to(OwnerId::Consumer(*id)),
            Thing::Member(id) => match &self.owner().reach {
                Reach::Seat { member, .. } => member.id == OwnerId::Member(*id),
                _ => entry.owner.id == OwnerId::Member(*id),
            },
            Thing::Team(id) => match &self.owner().reach {
                Reach::Member { teams, .. } => {
                    teams.iter().any(|seat| seat.left_at.is_none() && seat.team.id == *id)
                }
                Reach::Seat { membership, .. } => membership.team.id == *id,
                Reach::Anything | Reach::Within(_) => false,
            },
            Thing::Key(_) => false,
            Thing::Other => true,
        }
    }
}

impl About {
    /// Whether it can be about what this key, or person, does there.
    pub(crate) fn concerns(&self, doer: &Doer<'_>, site: &Site) -> bool {
        self.touches(doer) && self.covers(site)
    }

    fn touches(&self, doer: &Doer<'_>) -> bool {
        let kind = if doer.entry.is_session() { Kind::Member } else { Kind::Key };
        match &self.principal {
            Head::Any => true,
            Head::Is(wanted) => *wanted == kind,
            Head::Eq(thing) => doer.is(thing),
            Head::In(thing) => doer.is(thing) || doer.is_in(thing),
            Head::IsIn(wanted, thing) => *wanted == kind && (doer.is(thing) || doer.is_in(thing)),
        }
    }

    fn covers(&self, site: &Site) -> bool {
        match &self.resource {
            Head::Any => true,
            Head::Is(kind) => *kind == site.kind(),
            Head::Eq(thing) => site.is(thing),
            Head::In(thing) => site.is_in(thing),
            Head::IsIn(kind, thing) => *kind == site.kind() && site.is_in(thing),
        }
    }
}
