//! What keys share: organizations, projects, environments, roles, owners, policies. Resident, and
//! looked up by id or slug.

use crate::keyring::lineages::Lineages;
use hashbrown::HashMap;
use keystead_domain::cells::{Place, Principal, ProjectCell, RoleCell};
use keystead_domain::ids::{EnvironmentId, OrganizationId, OwnerId, ProjectId, RoleId, TeamId};
use keystead_domain::policy::Policy;
use keystead_domain::reach::TeamCell;
use keystead_domain::route_limits::RouteCells;
use keystead_domain::special::Special;
use keystead_guard::Compiled;
use keystead_policies::{Known, Named, Resolve, Rules, Target};
use parking_lot::RwLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

/// The shared cells, by id and by slug.
#[derive(Debug, Default)]
pub struct Directory(Arc<RwLock<Maps>>, Lineages, Arc<Known>, AtomicU64);

/// Says at its end, however that comes, that something has changed that keys share.
#[must_use]
pub(crate) struct Changing<'a>(&'a Directory);

impl Drop for Changing<'_> {
    fn drop(&mut self) {
        self.0.3.fetch_add(1, Ordering::Release);
    }
}

#[derive(Debug, Default)]
struct Maps {
    projects: HashMap<ProjectId, Arc<ProjectCell>>,
    project_slugs: HashMap<OrganizationId, HashMap<Box<str>, Arc<ProjectCell>>>,
    places: HashMap<EnvironmentId, Arc<Place>>,
    place_slugs: HashMap<ProjectId, HashMap<Box<str>, Arc<Place>>>,
    roles: HashMap<RoleId, Arc<RoleCell>>,
    principals: HashMap<OwnerId, Arc<Principal>>,
    teams: HashMap<TeamId, Arc<TeamCell>>,
    policies: HashMap<PolicyKey, Arc<Policy>>,
    policies_pruned_at: usize,
    rules: HashMap<OrganizationId, Arc<Rules>>,
    guards: HashMap<ProjectId, Arc<Guarded>>,
    tagged: HashMap<Box<[Box<str>]>, Weak<Special>>,
    tagged_pruned_at: usize,
}

/// How a project's API is guarded.
#[derive(Debug)]
pub(crate) struct Guarded {
    /// Its rules.
    pub(crate) rules: Compiled,
    /// What its routes' limits have counted, whichever rules came since.
    pub(crate) cells: Arc<RouteCells>,
}

/// Policies are shared within an organization only: roles in them are its own.
type PolicyKey = (OrganizationId, [u8; 32]);

impl Directory {
    /// The lineages that several keys share.
    #[must_use]
    pub const fn lineages(&self) -> &Lineages {
        &self.1
    }

    /// How often something of it has changed. What was made of what keys share is as it would be made now while this
    /// is the same; read it before what is made.
    #[must_use]
    pub fn changes(&self) -> u64 {
        self.3.load(Ordering::Acquire)
    }

    /// To be held while something is changed that keys share.
    pub(crate) const fn changing(&self) -> Changing<'_> {
        Changing(self)
    }

    /// A project by id or slug, of this organization only.
    #[must_use]
    pub fn project(&self, organization: OrganizationId, id_or_slug: &str) -> Option<Arc<ProjectCell>> {
        let maps = self.0.read();
        if let Some(project) = maps.project_slugs.get(&organization).and_then(|slugs| slugs.get(id_or_slug)) {
            return Some(Arc::clone(project));
        }
        let id: ProjectId = id_or_slug.parse().ok()?;
        maps.projects.get(&id).filter(|project| project.organization == organization).cloned()
    }

    /// Every project of an organization, in no order.
    #[must_use]
    pub fn projects_of(&self, organization: OrganizationId) -> Vec<Arc<ProjectCell>> {
        let maps = self.0.read();
        maps.project_slugs.get(&organization).map_or_else(Vec::new, |slugs| slugs.values().cloned().collect())
    }

    /// Every environment of a project, in no order.
    #[must_use]
    pub fn places_of(&self, project: ProjectId) -> Vec<Arc<Place>> {
        let maps = self.0.read();
        maps.place_slugs.get(&project).map_or_else(Vec::new, |slugs| slugs.values().cloned().collect())
    }

    /// A project by id.
    #[must_use]
    pub fn project_by_id(&self, id: ProjectId) -> Option<Arc<ProjectCell>> {
        self.0.read().projects.get(&id).cloned()
    }

    /// An environment of a project, by id or slug.
    #[must_use]
    pub fn place(&self, project: ProjectId, id_or_slug: &str) -> Option<Arc<Place>> {
        let maps = self.0.read();
        if let Some(place) = maps.place_slugs.get(&project).and_then(|slugs| slugs.get(id_or_slug)) {
            return Some(Arc::clone(place));
        }
        let id: EnvironmentId = id_or_slug.parse().ok()?;
        maps.places.get(&id).filter(|place| place.project.id == project).cloned()
    }

    /// An environment by id.
    #[must_use]
    pub fn place_by_id(&self, id: EnvironmentId) -> Option<Arc<Place>> {
        self.0.read().places.get(&id).cloned()
    }

    /// A role by id.
    #[must_use]
    pub fn role(&self, id: RoleId) -> Option<Arc<RoleCell>> {
        self.0.read().roles.get(&id).cloned()
    }

    /// A team by id.
    #[must_use]
    pub fn team(&self, id: TeamId) -> Option<Arc<TeamCell>> {
        self.0.read().teams.get(&id).cloned()
    }

    /// An owner or consumer by id.
    #[must_use]
    pub fn principal(&self, id: OwnerId) -> Option<Arc<Principal>> {
        self.0.read().principals.get(&id).cloned()
    }

    /// A policy of an organization, by its hash.
    #[must_use]
    pub fn policy(&self, organization: OrganizationId, hash: [u8; 32]) -> Option<Arc<Policy>> {
        self.0.read().policies.get(&(organization, hash)).cloned()
    }

    /// Every principal that may hold leased blocks.
    #[must_use]
    pub fn principals(&self) -> Vec<Arc<Principal>> {
        self.0.read().principals.values().cloned().collect()
    }

    /// Adds a project.
    pub fn put_project(&self, project: Arc<ProjectCell>) {
        let maps = &mut *self.0.write();
        let rules = maps.rules.get(&project.organization);
        project.conditions.set(rules.and_then(|rules| rules.conditions(project.id, project.system)));
        maps.project_slugs
            .entry(project.organization)
            .or_default()
            .insert(project.slug.clone(), Arc::clone(&project));
        maps.projects.insert(project.id, project);
    }

    /// Sets the policies of an organization that are in force: for every key of it, and for whoever calls.
    pub(crate) fn put_rules(&self, organization: OrganizationId, rules: Option<Arc<Rules>>) {
        let maps = &mut *self.0.write();
        for project in maps.project_slugs.get(&organization).into_iter().flat_map(HashMap::values) {
            let conditions = rules.as_ref().and_then(|rules| rules.conditions(project.id, project.system));
            project.conditions.set(conditions);
        }
        match rules {
            Some(rules) => maps.rules.insert(organization, rules),
            None => maps.rules.remove(&organization),
        };
    }

    /// The policies of an organization that are in force.
    pub(crate) fn rules(&self, organization: OrganizationId) -> Option<Arc<Rules>> {
        self.0.read().rules.get(&organization).cloned()
    }

    /// Sets how a project's API is guarded.
    pub(crate) fn put_guard(&self, project: ProjectId, rules: Compiled) {
        let guards = &mut self.0.write().guards;
        let cells = guards.get(&project).map(|before| Arc::clone(&before.cells)).unwrap_or_default();
        guards.insert(project, Arc::new(Guarded { rules, cells }));
    }

    /// How a project's API is guarded.
    pub(crate) fn guard(&self, project: ProjectId) -> Option<Arc<Guarded>> {
        self.0.read().guards.get(&project).cloned()
    }

    /// How every project's API is guarded that is.
    pub(crate) fn guards(&self) -> Vec<Arc<Guarded>> {
        self.0.read().guards.values().cloned().collect()
    }

    /// Every organization that has some.
    pub(crate) fn with_rules(&self) -> Vec<OrganizationId> {
        self.0.read().rules.keys().copied().collect()
    }

    /// What is known of keys that policies are about.
    pub(crate) const fn known(&self) -> &Arc<Known> {
        &self.2
    }

    /// How policies learn what projects and environments are called, also of those that come later.
    pub(crate) fn resolve(&self) -> Resolve {
        // What the maps hold must not hold the maps.
        let maps = Arc::downgrade(&self.0);
        Arc::new(move |organization, project, environment| {
            let maps = maps.upgrade()?;
            let maps = maps.read();
            let cell = maps.projects.get(&project).filter(|cell| cell.organization == organization)?;
            let place = environment.and_then(|id| maps.places.get(&id));
            Some(Target {
                project: Some(Named { id: project.to_string(), name: cell.slug.to_string() }),
                environment: environment.map(|id| Named {
                    id: id.to_string(),
                    name: place.map(|place| place.slug.to_string()).unwrap_or_default(),
                }),
            })
        })
    }

    /// What keys share that have these tags and nothing else that is special.
    pub(crate) fn tagged(&self, tags: Box<[Box<str>]>) -> Arc<Special> {
        let maps = &mut *self.0.write();
        if let Some(known) = maps.tagged.get(&tags).and_then(Weak::upgrade) {
            return known;
        }
        if maps.tagged.len() > 2 * maps.tagged_pruned_at.max(1_024) {
            maps.tagged.retain(|_, special| special.strong_count() > 0);
            maps.tagged_pruned_at = maps.tagged.len();
        }
        let special = Arc::new(Special { tags: tags.clone(), ..Special::default() });
        maps.tagged.insert(tags, Arc::downgrade(&special));
        special
    }

    /// Adds an environment.
    pub fn put_place(&self, place: Arc<Place>) {
        let maps = &mut *self.0.write();
        maps.place_slugs.entry(place.project.id).or_default().insert(place.slug.clone(), Arc::clone(&place));
        maps.places.insert(place.environment, place);
    }

    /// Removes an environment that has no key.
    pub fn remove_place(&self, id: EnvironmentId) {
        let maps = &mut *self.0.write();
        if let Some(place) = maps.places.remove(&id)
            && let Some(slugs) = maps.place_slugs.get_mut(&place.project.id)
        {
            slugs.remove(&place.slug);
        }
    }

    /// Adds a role.
    pub fn put_role(&self, role: Arc<RoleCell>) {
        self.0.write().roles.insert(role.id, role);
    }

    /// Removes a role that no key holds.
    pub fn remove_role(&self, id: RoleId) {
        self.0.write().roles.remove(&id);
    }

    /// Adds a team.
    pub fn put_team(&self, team: Arc<TeamCell>) {
        self.0.write().teams.insert(team.id, team);
    }

    /// Removes a team in which nobody has a place.
    pub fn remove_team(&self, id: TeamId) {
        self.0.write().teams.remove(&id);
    }

    /// Adds an owner or consumer.
    pub fn put_principal(&self, principal: Arc<Principal>) {
        self.0.write().principals.insert(principal.id, principal);
    }

    /// Removes an owner or consumer that has no key.
    pub fn remove_principal(&self, id: OwnerId) {
        self.0.write().principals.remove(&id);
    }

    /// Adds a policy, or answers the equal one that is there. Now and then those that no key holds
    /// any more are dropped.
    pub fn put_policy(&self, organization: OrganizationId, hash: [u8; 32], policy: Policy) -> Arc<Policy> {
        let maps = &mut *self.0.write();
        if maps.policies.len() > 2 * maps.policies_pruned_at.max(1_024) {
            maps.policies.retain(|_, policy| Arc::strong_count(policy) > 1);
            maps.policies_pruned_at = maps.policies.len();
        }
        Arc::clone(maps.policies.entry((organization, hash)).or_insert_with(|| Arc::new(policy)))
    }
}
