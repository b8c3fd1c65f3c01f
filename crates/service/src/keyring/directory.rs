//! What keys share: organizations, projects, environments, roles, owners, policies. Resident, and
//! looked up by id or slug.

use crate::keyring::lineages::Lineages;
use hashbrown::HashMap;
use keystead_domain::cells::{Place, Principal, ProjectCell, RoleCell};
use keystead_domain::ids::{EnvironmentId, OrganizationId, OwnerId, ProjectId, RoleId, TeamId};
use keystead_domain::policy::Policy;
use keystead_domain::reach::TeamCell;
use parking_lot::RwLock;
use std::sync::Arc;

/// The shared cells, by id and by slug.
#[derive(Debug, Default)]
pub struct Directory(RwLock<Maps>, Lineages);

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
}

/// Policies are shared within an organization only: roles in them are its own.
type PolicyKey = (OrganizationId, [u8; 32]);

impl Directory {
    /// The lineages that several keys share.
    #[must_use]
    pub const fn lineages(&self) -> &Lineages {
        &self.1
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
        maps.project_slugs
            .entry(project.organization)
            .or_default()
            .insert(project.slug.clone(), Arc::clone(&project));
        maps.projects.insert(project.id, project);
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
