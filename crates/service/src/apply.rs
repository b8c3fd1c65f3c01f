//! Bringing a committed change into the keyring: the changed rows are read again and swapped in.
//!
//! One at a time for each thing: what was read later is what was committed later, so an old state
//! never overwrites a newer one. A change that cannot be read makes the node stale until it can be:
//! it then answers `unavailable`, never what was true before.

use crate::Keystead;
use crate::cells;
use crate::refused::Refused;
use keystead_domain::ids::{
    ConsumerId, EnvironmentId, KeyId, OrganizationId, OwnerId, ProjectId, RoleId, ServiceAccountId,
};
use keystead_store::{Change, ChangeKind};
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::Arc;

const STRIPES: usize = 64;

/// Whose turn it is to apply, and what could not be applied yet.
#[derive(Debug)]
pub(crate) struct Appliers {
    stripes: Box<[tokio::sync::Mutex<()>]>,
    pending: Mutex<VecDeque<Change>>,
}

impl Appliers {
    pub(crate) fn new() -> Self {
        Self {
            stripes: (0..STRIPES).map(|_| tokio::sync::Mutex::new(())).collect(),
            pending: Mutex::default(),
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

    pub(crate) fn has_pending(&self) -> bool {
        !self.pending.lock().is_empty()
    }
}

impl Keystead {
    /// Applies committed changes before their answer leaves: this node reads its own writes.
    pub(crate) async fn apply(&self, changes: Vec<Change>) {
        for change in changes {
            if let Err(error) = self.apply_one(&change).await {
                tracing::error!(%error, kind = ?change.kind, "a committed change could not be read again; answering unavailable until it can");
                self.keyring.set_stale(true);
                self.appliers.pending.lock().push_back(change);
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

    async fn apply_one(&self, change: &Change) -> Result<(), Refused> {
        let Some(stripe) = self.appliers.stripe(change) else {
            return Ok(());
        };
        let _turn = stripe.lock().await;
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
            ChangeKind::Key => {
                self.apply_key(organization, KeyId::from_slice(target).ok_or_else(corrupt)?).await
            }
        }
    }

    /// What verification needs of a project never changes, so only a new one matters.
    async fn apply_project(&self, organization: OrganizationId, id: ProjectId) -> Result<(), Refused> {
        if self.keyring.directory.project_by_id(id).is_some() {
            return Ok(());
        }
        let mut reader = self.store.read().await?;
        if let Some(row) = reader.project(organization, id).await? {
            let permissions = reader.permissions_in(id).await?;
            self.keyring.directory.put_project(Arc::new(cells::project(&row, &permissions)));
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
        match row {
            None => directory.remove_place(id),
            Some(_) if directory.place_by_id(id).is_some() => {}
            Some(row) => {
                let project = directory
                    .project_by_id(row.project_id)
                    .ok_or_else(|| Refused::Internal("an environment without its project".into()))?;
                directory.put_place(Arc::new(cells::place(&row, project)));
            }
        }
        Ok(())
    }

    async fn apply_role(&self, organization: OrganizationId, id: RoleId) -> Result<(), Refused> {
        let row = self.store.read().await?.role(organization, id).await?;
        let directory = &self.keyring.directory;
        match (row, directory.role(id)) {
            (None, _) => directory.remove_role(id),
            (Some(row), Some(cell)) => cell.permissions.store(Arc::new(cells::role_permissions(&row)?)),
            (Some(row), None) => directory.put_role(Arc::new(cells::role(&row)?)),
        }
        Ok(())
    }

    async fn apply_account(&self, organization: OrganizationId, id: ServiceAccountId) -> Result<(), Refused> {
        let row = self.store.read().await?.service_account(organization, id).await?;
        let owner = OwnerId::ServiceAccount(id);
        let directory = &self.keyring.directory;
        match (row, directory.principal(owner)) {
            (None, _) => directory.remove_principal(owner),
            (Some(row), Some(cell)) => cell.state.store(Arc::new(cells::account_state(&row)?)),
            (Some(row), None) => directory.put_principal(Arc::new(cells::principal(
                owner,
                organization,
                cells::account_state(&row)?,
            ))),
        }
        Ok(())
    }

    async fn apply_consumer(&self, organization: OrganizationId, id: ConsumerId) -> Result<(), Refused> {
        let row = self.store.read().await?.consumer(organization, id).await?;
        let owner = OwnerId::Consumer(id);
        let directory = &self.keyring.directory;
        match (row, directory.principal(owner)) {
            (None, _) => directory.remove_principal(owner),
            (Some(row), Some(cell)) => {
                let state = cells::consumer_state(&row, Some(&cell.state.load()))?;
                cell.state.store(Arc::new(state));
            }
            (Some(row), None) => {
                let state = cells::consumer_state(&row, None)?;
                directory.put_principal(Arc::new(cells::principal(owner, organization, state)));
            }
        }
        Ok(())
    }

    async fn apply_key(&self, organization: OrganizationId, id: KeyId) -> Result<(), Refused> {
        let mut reader = self.store.read().await?;
        let Some(row) = reader.key(organization, id).await? else {
            self.keyring.remove(id);
            return Ok(());
        };
        let directory = &self.keyring.directory;
        let policy = match directory.policy(organization, row.policy_hash) {
            Some(policy) => policy,
            None => {
                let body = reader.policy(organization, &row.policy_hash).await?;
                let body = body.ok_or_else(|| Refused::Internal("a key without its policy".into()))?;
                directory.put_policy(organization, row.policy_hash, cells::compile_policy(directory, &body)?)
            }
        };
        let before = self.keyring.get(id);
        self.keyring.put(cells::entry(directory, &cells::resident(&row), policy, before.as_ref())?);
        Ok(())
    }
}
