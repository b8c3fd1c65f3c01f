//! Bringing a committed change into the keyring: the changed rows are read again and swapped in.
//!
//! One at a time for each thing: what was read later is what was committed later, so an old state
//! never overwrites a newer one. A change that cannot be read makes the node stale until it can be:
//! it then answers `unavailable`, never what was true before.

use crate::Keystead;
use crate::cells;
use crate::keyring::Directory;
use crate::refused::Refused;
use keystead_domain::cells::ProjectCell;
use keystead_domain::ids::{
    ConsumerId, EnvironmentId, KeyId, MemberId, OrganizationId, OwnerId, ProjectId, RoleId, ServiceAccountId,
    TeamId,
};
use keystead_store::{
    Change, ChangeKind, ConsumerRow, EnvironmentRow, PermissionRow, ProjectRow, RoleRow, ServiceAccountRow,
};
use parking_lot::Mutex;
use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

const STRIPES: usize = 64;

/// Whose turn it is to apply, and what could not be applied yet.
#[derive(Debug)]
pub(crate) struct Appliers {
    stripes: Box<[tokio::sync::Mutex<()>]>,
    pending: Mutex<VecDeque<Change>>,
    /// What acts of this node change that may be committed, and is not applied yet, or may be committed later.
    under_way: Mutex<HashMap<(ChangeKind, Vec<u8>), usize>>,
}

impl Appliers {
    pub(crate) fn new() -> Self {
        Self {
            stripes: (0..STRIPES).map(|_| tokio::sync::Mutex::new(())).collect(),
            pending: Mutex::default(),
            under_way: Mutex::default(),
        }
    }

    /// Keys by their last digit; everything that keys share in one turn, since it refers to
    /// each other.
    fn stripe(&self, change: &Change) -> Option<&tokio::sync::Mutex<()>> {
        let index = match change.kind {
            ChangeKind::Key => 1 + usize::from(*change.target.last().unwrap_or(&0)) % (STRIPES - 1),
            _ => 0,
        };
        self.stripes.get(index)
    }

    /// Notes what an act is about to commit.
    pub(crate) fn begin(&self, changes: &[Change]) {
        let mut under_way = self.under_way.lock();
        for change in changes {
            *under_way.entry((change.kind, change.target.clone())).or_default() += 1;
        }
    }

    /// Notes that it is applied, or waits among what could not be, or was never committed.
    pub(crate) fn end(&self, changes: Vec<Change>) {
        let mut under_way = self.under_way.lock();
        for change in changes {
            if let Entry::Occupied(mut entry) = under_way.entry((change.kind, change.target)) {
                *entry.get_mut() -= 1;
                if *entry.get() == 0 {
                    entry.remove();
                }
            }
        }
    }

    pub(crate) fn is_under_way(&self, kind: ChangeKind, target: &[u8]) -> bool {
        self.under_way.lock().contains_key(&(kind, target.to_vec()))
    }

    pub(crate) fn has_pending(&self) -> bool {
        !self.pending.lock().is_empty()
    }
}

impl Keystead {
    /// Applies committed changes before their answer leaves: this node reads its own writes.
    pub(crate) async fn apply(&self, changes: &[Change]) {
        for change in changes {
            if let Err(error) = self.apply_one(change).await {
                tracing::error!(%error, kind = ?change.kind, "a committed change could not be read again; answering unavailable until it can");
                self.keyring.set_stale(true);
                self.appliers.pending.lock().push_back(change.clone());
            }
        }
    }

    /// Tries again what could not be applied.
    ///
    /// # Errors
    /// When it still cannot.
    pub(crate) async fn apply_pending(&self) -> Result<(), Refused> {
        loop {
            let Some(change) = self.appliers.pending.lock().front().cloned() else {
                return Ok(());
            };
            self.apply_one(&change).await?;
            self.appliers.pending.lock().pop_front();
        }
    }

    /// Reads a thing again and swaps it in.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) async fn apply_one(&self, change: &Change) -> Result<(), Refused> {
        let Some(stripe) = self.appliers.stripe(change) else {
            return Ok(());
        };
        let _turn = stripe.lock().await;
        let _changing = (change.kind != ChangeKind::Key).then(|| self.keyring.directory.changing());
        let organization = change.organization_id;
        let target = &change.target;
        let corrupt = || Refused::Internal("a change names no id".into());
        match change.kind {
            ChangeKind::Organization => Ok(()),
            ChangeKind::Project => {
                self.apply_project(organization, ProjectId::from_slice(target).ok_or_else(corrupt)?).await
            }
            ChangeKind::Permission => {
                self.apply_catalogue(ProjectId::from_slice(target).ok_or_else(corrupt)?).await
            }
            ChangeKind::Environment => {
                self.apply_environment(organization, EnvironmentId::from_slice(target).ok_or_else(corrupt)?)
                    .await
            }
            ChangeKind::Role => {
                self.apply_role(organization, RoleId::from_slice(target).ok_or_else(corrupt)?).await
            }
            ChangeKind::ServiceAccount => {
                self.apply_account(organization, ServiceAccountId::from_slice(target).ok_or_else(corrupt)?)
                    .await
            }
            ChangeKind::Consumer => {
                self.apply_consumer(organization, ConsumerId::from_slice(target).ok_or_else(corrupt)?).await
            }
            ChangeKind::Member => {
                self.apply_member(organization, MemberId::from_slice(target).ok_or_else(corrupt)?).await
            }
            ChangeKind::Team => {
                self.apply_team(organization, TeamId::from_slice(target).ok_or_else(corrupt)?).await
            }
            ChangeKind::AccessPolicy => self.apply_access_policies(organization).await,
            ChangeKind::Guard => {
                self.apply_guard(organization, ProjectId::from_slice(target).ok_or_else(corrupt)?).await
            }
            ChangeKind::IdentityKeys => self.apply_identity_keys().await,
            ChangeKind::Key => {
                self.apply_key(organization, KeyId::from_slice(target).ok_or_else(corrupt)?).await
            }
        }
    }

    /// What verification needs of a project never changes, so only a new one matters.
    async fn apply_project(&self, organization: OrganizationId, id: ProjectId) -> Result<(), Refused> {
        let mut reader = self.store.read().await?;
        let Some(row) = reader.project(organization, id).await? else { return Ok(()) };
        if let Some(cell) = self.keyring.directory.project_by_id(id) {
            cell.prefix.store(Arc::new(row.prefix.into()));
        } else {
            let permissions = reader.permissions_in(id).await?;
            put_project(&self.keyring.directory, &row, &permissions);
        }
        Ok(())
    }

    async fn apply_catalogue(&self, project: ProjectId) -> Result<(), Refused> {
        let permissions = self.store.read().await?.permissions_in(project).await?;
        if let Some(cell) = self.keyring.directory.project_by_id(project) {
            cell.catalogue.store(Arc::new(cells::catalogue(&permissions)));
        }
        Ok(())
    }

    async fn apply_environment(
        &self,
        organization: OrganizationId,
        id: EnvironmentId,
    ) -> Result<(), Refused> {
        let row = self.store.read().await?.environment(organization, id).await?;
        let directory = &self.keyring.directory;
        let Some(row) = row else {
            directory.remove_place(id);
            return Ok(());
        };
        self.apply_project(organization, row.project_id).await?;
        let project = directory
            .project_by_id(row.project_id)
            .ok_or_else(|| Refused::Internal("an environment without its project".into()))?;
        put_environment(directory, &row, project);
        Ok(())
    }

    pub(crate) async fn apply_role(&self, organization: OrganizationId, id: RoleId) -> Result<(), Refused> {
        match self.store.read().await?.role(organization, id).await? {
            None => {
                self.keyring.directory.remove_role(id);
                Ok(())
            }
            Some(row) => put_role(&self.keyring.directory, &row),
        }
    }

    async fn apply_account(&self, organization: OrganizationId, id: ServiceAccountId) -> Result<(), Refused> {
        match self.store.read().await?.service_account(organization, id).await? {
            None => {
                self.keyring.directory.remove_principal(OwnerId::ServiceAccount(id));
                Ok(())
            }
            Some(row) => put_account(&self.keyring.directory, &row),
        }
    }

    async fn apply_consumer(&self, organization: OrganizationId, id: ConsumerId) -> Result<(), Refused> {
        match self.store.read().await?.consumer(organization, id).await? {
            None => {
                self.keyring.directory.remove_principal(OwnerId::Consumer(id));
                Ok(())
            }
            Some(row) => put_consumer(&self.keyring.directory, &row),
        }
    }

    /// Shared things only: a key's turn is held, and theirs comes after it.
    pub(crate) async fn apply_missing(&self, missing: Vec<Change>) -> Result<(), Refused> {
        for change in missing {
            Box::pin(self.apply_one(&change)).await?;
        }
        Ok(())
    }
}

/// Puts a project in, or its catalogue as it is now.
pub(crate) fn put_project(directory: &Directory, row: &ProjectRow, permissions: &[PermissionRow]) {
    match directory.project_by_id(row.id) {
        Some(cell) => {
            cell.prefix.store(Arc::new(row.prefix.as_str().into()));
            cell.catalogue.store(Arc::new(cells::catalogue(permissions)));
        }
        None => directory.put_project(Arc::new(cells::project(row, permissions))),
    }
}

/// Puts an environment in; nothing of it changes.
pub(crate) fn put_environment(directory: &Directory, row: &EnvironmentRow, project: Arc<ProjectCell>) {
    if directory.place_by_id(row.id).is_none() {
        directory.put_place(Arc::new(cells::place(row, project)));
    }
}

/// Puts a role in, or its permissions as they are now, for every key that holds it.
pub(crate) fn put_role(directory: &Directory, row: &RoleRow) -> Result<(), Refused> {
    match directory.role(row.id) {
        Some(cell) => cell.permissions.store(Arc::new(cells::role_permissions(row)?)),
        None => directory.put_role(Arc::new(cells::role(row)?)),
    }
    Ok(())
}

/// Puts a service account in, or its state as it is now.
pub(crate) fn put_account(directory: &Directory, row: &ServiceAccountRow) -> Result<(), Refused> {
    let (owner, state) = (OwnerId::ServiceAccount(row.id), cells::account_state(row)?);
    match directory.principal(owner) {
        Some(cell) => cell.state.store(Arc::new(state)),
        None => directory.put_principal(Arc::new(cells::principal(owner, row.organization_id, state))),
    }
    Ok(())
}

/// Puts a consumer in, or its state as it is now; its counters go on.
pub(crate) fn put_consumer(directory: &Directory, row: &ConsumerRow) -> Result<(), Refused> {
    let owner = OwnerId::Consumer(row.id);
    match directory.principal(owner) {
        Some(cell) => {
            let state = cells::consumer_state(row, Some(&cell.state.load()))?;
            cell.state.store(Arc::new(state));
        }
        None => {
            let state = cells::consumer_state(row, None)?;
            directory.put_principal(Arc::new(cells::principal(owner, row.organization_id, state)));
        }
    }
    Ok(())
}
