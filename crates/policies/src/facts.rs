//! A request as policies see it: who, what, on what, and under which circumstances.

use crate::language::{Kind, Language};
use cedar_policy::{Context, Entities, Entity, EntityUid, Request, RestrictedExpression};
use keystead_domain::decide::Ask;
use keystead_domain::time::{Micros, SECOND};
use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

/// Something with an id and a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// As the API writes it.
    pub id: String,
    /// Its name or slug.
    pub name: String,
}

/// Whose a key is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    /// A program.
    ServiceAccount(Named),
    /// An outside party.
    Consumer(Named),
    /// A person.
    Member(Named),
    /// A person in a team's name.
    TeamMember(Named),
}

impl Owner {
    const fn parts(&self) -> (Kind, &'static str, &Named) {
        match self {
            Self::ServiceAccount(named) => (Kind::ServiceAccount, "service_account", named),
            Self::Consumer(named) => (Kind::Consumer, "consumer", named),
            Self::Member(named) => (Kind::Member, "member", named),
            Self::TeamMember(named) => (Kind::Member, "team_member", named),
        }
    }
}

/// A key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFacts {
    /// `key_…`
    pub id: String,
    /// Its kind.
    pub kind: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// Its project.
    pub project: Named,
    /// Its environment.
    pub environment: Named,
    /// Whose it is.
    pub owner: Owner,
    /// The teams of the person whose it is.
    pub teams: Vec<Named>,
    /// To whom it was issued.
    pub consumer: Option<Named>,
    /// When it ends, in seconds since 1970.
    pub expires_at: Option<i64>,
    /// Whether it was minted.
    pub minted: bool,
}

/// A person who signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonFacts {
    /// Who.
    pub member: Named,
    /// Their teams.
    pub teams: Vec<Named>,
}

/// Who acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// A key.
    Key(Box<KeyFacts>),
    /// A person.
    Member(PersonFacts),
}

/// Who acts, and in which organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// `org_…`
    pub organization: String,
    /// Who.
    pub who: Who,
}

/// What is acted on; with neither project nor environment, the organization.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Target {
    /// The project.
    pub project: Option<Named>,
    /// The environment of it.
    pub environment: Option<Named>,
}

/// What a request says of itself, and when it comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Circumstances {
    /// When.
    pub now: Micros,
    /// The client's address.
    pub ip: Option<IpAddr>,
    /// What it needs.
    pub permissions: Vec<String>,
    /// On what it needs that.
    pub resource: Option<String>,
    /// Its method.
    pub method: Option<String>,
    /// Its path.
    pub path: Option<String>,
    /// Its origin.
    pub origin: Option<String>,
}

impl Circumstances {
    pub(crate) fn of(ask: &Ask<'_>, now: Micros) -> Self {
        let mut permissions = Vec::new();
        if let Some(query) = ask.permissions {
            query.names(&mut |name| permissions.push(name.to_owned()));
        }
        let text = |text: Option<&str>| text.map(str::to_owned);
        Self {
            now,
            ip: ask.ip,
            permissions,
            resource: text(ask.resource),
            method: text(ask.method),
            path: text(ask.path),
            origin: text(ask.origin),
        }
    }

    fn context(&self) -> Option<Context> {
        let seconds = self.now.0.div_euclid(SECOND);
        let (day, of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        let long = RestrictedExpression::new_long;
        let mut pairs = vec![
            ("time".to_owned(), long(seconds)),
            ("hour".to_owned(), long(of_day / 3_600)),
            ("minute".to_owned(), long(of_day / 60 % 60)),
            // The first of January 1970 was a Thursday.
            ("weekday".to_owned(), long((day + 3).rem_euclid(7) + 1)),
            ("permissions".to_owned(), set(&self.permissions)),
        ];
        if let Some(ip) = self.ip {
            pairs.push(("ip".to_owned(), RestrictedExpression::new_ip(ip.to_canonical().to_string())));
        }
        let texts = [
            ("resource", &self.resource),
            ("method", &self.method),
            ("path", &self.path),
            ("origin", &self.origin),
        ];
        for (name, text) in texts {
            if let Some(text) = text {
                pairs.push((name.to_owned(), RestrictedExpression::new_string(text.clone())));
            }
        }
        Context::from_pairs(pairs).ok()
    }
}

/// A request as Cedar takes it.
pub(crate) struct Question {
    pub(crate) request: Request,
    pub(crate) entities: Entities,
}

impl Question {
    /// `None` when Cedar cannot hold it, which forbids.
    pub(crate) fn new(
        language: &Language,
        subject: &Subject,
        action: &str,
        target: &Target,
        circumstances: &Circumstances,
    ) -> Option<Self> {
        let mut all = Gathered { language, organization: &subject.organization, entities: Vec::new() };
        all.put(Kind::Organization, &subject.organization, [], [])?;
        let resource = all.target(target)?;
        let principal = match &subject.who {
            Who::Key(key) => all.key(key)?,
            Who::Member(person) => all.person(&person.member, &person.teams)?,
        };
        let groups = language.groups(action).into_iter().map(|group| language.uid(Kind::Action, group));
        let groups: Vec<EntityUid> = groups.collect::<Option<_>>()?;
        let action = all.put(Kind::Action, action, groups, [])?;
        let request = Request::new(principal, action, resource, circumstances.context()?, None).ok()?;
        Some(Self { request, entities: Entities::from_entities(all.entities, None).ok()? })
    }
}

struct Gathered<'a> {
    language: &'a Language,
    organization: &'a str,
    entities: Vec<Entity>,
}

impl Gathered<'_> {
    /// Each thing once, as it was first named.
    fn put(
        &mut self,
        kind: Kind,
        id: &str,
        parents: impl IntoIterator<Item = EntityUid>,
        attributes: impl IntoIterator<Item = (&'static str, RestrictedExpression)>,
    ) -> Option<EntityUid> {
        let uid = self.language.uid(kind, id)?;
        if !self.entities.iter().any(|entity| entity.uid() == uid) {
            let attributes: HashMap<String, RestrictedExpression> =
                attributes.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
            let parents: HashSet<EntityUid> = parents.into_iter().collect();
            self.entities.push(Entity::new(uid.clone(), attributes, parents).ok()?);
        }
        Some(uid)
    }

    fn organization(&self) -> Option<EntityUid> {
        self.language.uid(Kind::Organization, self.organization)
    }

    fn named(&mut self, kind: Kind, named: &Named) -> Option<EntityUid> {
        let organization = self.organization()?;
        self.put(kind, &named.id, [organization], [("name", text(&named.name))])
    }

    fn project(&mut self, project: &Named) -> Option<EntityUid> {
        let organization = self.organization()?;
        self.put(Kind::Project, &project.id, [organization], [("slug", text(&project.name))])
    }

    fn environment(&mut self, project: &Named, environment: &Named) -> Option<EntityUid> {
        let parent = self.project(project)?;
        let attributes = [("slug", text(&environment.name)), ("project", text(&project.name))];
        self.put(Kind::Environment, &environment.id, [parent], attributes)
    }

    fn target(&mut self, target: &Target) -> Option<EntityUid> {
        match (&target.project, &target.environment) {
            (Some(project), Some(environment)) => self.environment(project, environment),
            (Some(project), None) => self.project(project),
            (None, _) => self.organization(),
        }
    }

    fn person(&mut self, member: &Named, teams: &[Named]) -> Option<EntityUid> {
        let mut parents = vec![self.organization()?];
        for team in teams {
            parents.push(self.named(Kind::Team, team)?);
        }
        let attributes = [("name", text(&member.name)), ("teams", names(teams))];
        self.put(Kind::Member, &member.id, parents, attributes)
    }

    fn key(&mut self, key: &KeyFacts) -> Option<EntityUid> {
        let (kind, owner_kind, owner) = key.owner.parts();
        let mut parents = vec![self.environment(&key.project, &key.environment)?];
        parents.push(match key.owner {
            // A key in a team's name is in that team, and not in the others of its person.
            Owner::TeamMember(_) => self.person(owner, &[])?,
            Owner::Member(_) => self.person(owner, &key.teams)?,
            Owner::ServiceAccount(_) | Owner::Consumer(_) => self.named(kind, owner)?,
        });
        for team in &key.teams {
            parents.push(self.named(Kind::Team, team)?);
        }
        let mut attributes = vec![
            ("kind", text(&key.kind)),
            ("tags", set(&key.tags)),
            ("environment", text(&key.environment.name)),
            ("project", text(&key.project.name)),
            ("owner", text(&owner.name)),
            ("owner_kind", text(owner_kind)),
            ("teams", names(&key.teams)),
            ("minted", RestrictedExpression::new_bool(key.minted)),
        ];
        if let Some(consumer) = &key.consumer {
            parents.push(self.named(Kind::Consumer, consumer)?);
            attributes.push(("consumer", text(&consumer.name)));
        }
        if let Some(at) = key.expires_at {
            attributes.push(("expires_at", RestrictedExpression::new_long(at)));
        }
        self.put(Kind::Key, &key.id, parents, attributes)
    }
}

fn text(text: &str) -> RestrictedExpression {
    RestrictedExpression::new_string(text.to_owned())
}

fn set(texts: &[String]) -> RestrictedExpression {
    RestrictedExpression::new_set(texts.iter().map(|one| text(one)))
}

fn names(all: &[Named]) -> RestrictedExpression {
    RestrictedExpression::new_set(all.iter().map(|named| text(&named.name)))
}
