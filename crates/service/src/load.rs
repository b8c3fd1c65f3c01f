//! Filling the keyring at the start: everything that keys share, then every key.

use crate::cells;
use crate::keyring::Keyring;
use crate::refused::Refused;
use keystead_domain::ids::{OwnerId, ProjectId};
use keystead_domain::policy::Policy;
use keystead_store::{KeyResident, PermissionRow, Store};
use std::collections::HashMap;
use std::sync::Arc;

/// Readers of the keys at once; SQLite and PostgreSQL both read beside each other.
const PARTS: u8 = 2;

/// Loads everything. Nobody else writes meanwhile: the server does not listen yet.
pub(crate) async fn load(store: &Store, keyring: &Arc<Keyring>) -> Result<(), Refused> {
    load_shared(store, keyring).await?;
    let keys = store.read().await?.count_all_keys().await?;
    keyring.reserve(usize::try_from(keys).unwrap_or(0));
    let mut parts = Vec::new();
    for part in 0..PARTS {
        let (store, keyring) = (store.clone(), Arc::clone(keyring));
        parts.push(tokio::spawn(async move {
            let mut first_fault = None;
            let mut reader = store.read().await?;
            reader
                .load_keys(part, PARTS, |row| {
                    if let Err(fault) = put(&keyring, &row) {
                        first_fault.get_or_insert(fault);
                    }
                })
                .await?;
            first_fault.map_or(Ok(()), Err)
        }));
    }
    for part in parts {
        part.await.map_err(|_| Refused::Internal("loading the keys did not run to its end".into()))??;
    }
    Ok(())
}

fn put(keyring: &Keyring, row: &KeyResident<'_>) -> Result<(), Refused> {
    let policy: Option<Arc<Policy>> = keyring.directory.policy(row.organization_id, row.policy_hash);
    let policy = policy.ok_or_else(|| Refused::Internal(format!("{} refers to a missing policy", row.id)))?;
    keyring.put(cells::entry(&keyring.directory, row, policy, None)?);
    Ok(())
}

async fn load_shared(store: &Store, keyring: &Keyring) -> Result<(), Refused> {
    let directory = &keyring.directory;
    let mut reader = store.read().await?;
    let mut permissions: HashMap<ProjectId, Vec<PermissionRow>> = HashMap::new();
    for row in reader.all_permissions().await? {
        permissions.entry(row.project_id).or_default().push(row);
    }
    for row in reader.all_projects().await? {
        let catalogue = permissions.remove(&row.id).unwrap_or_default();
        directory.put_project(Arc::new(cells::project(&row, &catalogue)));
    }
    for row in reader.all_environments().await? {
        let project = directory.project_by_id(row.project_id);
        let project =
            project.ok_or_else(|| Refused::Internal("an environment without its project".into()))?;
        directory.put_place(Arc::new(cells::place(&row, project)));
    }
    for row in reader.all_roles().await? {
        directory.put_role(Arc::new(cells::role(&row)?));
    }
    for row in reader.all_service_accounts().await? {
        let state = cells::account_state(&row)?;
        directory.put_principal(Arc::new(cells::principal(
            OwnerId::ServiceAccount(row.id),
            row.organization_id,
            state,
        )));
    }
    for row in reader.all_consumers().await? {
        let state = cells::consumer_state(&row, None)?;
        directory.put_principal(Arc::new(cells::principal(
            OwnerId::Consumer(row.id),
            row.organization_id,
            state,
        )));
    }
    for row in reader.all_policies().await? {
        let policy = cells::compile_policy(directory, &row.body)?;
        directory.put_policy(row.organization_id, row.hash, policy);
    }
    Ok(())
}
