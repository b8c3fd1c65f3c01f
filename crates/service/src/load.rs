//! Filling the keyring: everything that keys share, then every key.

use crate::access_policies;
use crate::apply;
use crate::apply_people;
use crate::cells;
use crate::guard;
use crate::keyring::Keyring;
use crate::refused::Refused;
use hashbrown::HashSet;
use keystead_domain::ids::{KeyId, ProjectId};
use keystead_domain::policy::Policy;
use keystead_store::{Change, ChangeKind, ImportRow, KeyResident, PermissionRow, RotationRow, Store};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;

/// Readers of the keys at once; SQLite and PostgreSQL both read beside each other.
const PARTS: u8 = 2;

/// When everything is loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Occasion {
    /// Into an empty keyring, while nobody else writes.
    Alone,
    /// Into an empty keyring, while other nodes write.
    AmongOthers,
    /// Into a keyring that may have missed changes.
    Again,
}

/// What was loaded.
#[derive(Debug, Default)]
pub(crate) struct Loaded {
    /// Every key; only on [`Occasion::Again`].
    pub(crate) ids: HashSet<KeyId>,
    /// Keys whose shared rows were made while these were read. They must be applied once the feed
    /// has brought those rows.
    pub(crate) skipped: Vec<Change>,
}

/// Loads everything. What other nodes change meanwhile must come through a feed whose reader stood
/// in its place before.
pub(crate) async fn load(
    store: &Store,
    keyring: &Arc<Keyring>,
    occasion: Occasion,
) -> Result<Loaded, Refused> {
    load_shared(store, keyring, occasion).await?;
    let keys = store.read().await?.count_all_keys().await?;
    if occasion != Occasion::Again {
        keyring.reserve(usize::try_from(keys).unwrap_or(0));
    }
    let loaded = Arc::new(Mutex::new(Loaded::default()));
    let mut parts = Vec::new();
    let rotations = Arc::new(rotations(store).await?);
    let tags = Arc::new(Mutex::new(tags(store).await?));
    for part in 0..PARTS {
        let (store, keyring, loaded) = (store.clone(), Arc::clone(keyring), Arc::clone(&loaded));
        let (rotations, tags) = (Arc::clone(&rotations), Arc::clone(&tags));
        parts.push(tokio::spawn(async move {
            let mut first_fault = None;
            let mut reader = store.read().await?;
            reader
                .load_keys(part, PARTS, |row| {
                    if occasion == Occasion::Again {
                        loaded.lock().ids.insert(row.id);
                    }
                    let tags = tags.lock().remove(&row.id).unwrap_or_default();
                    match put(&keyring, &row, (rotations.get(&row.id), tags), occasion) {
                        Ok(()) => {}
                        Err(_) if occasion != Occasion::Alone => {
                            let change = Change::new(row.organization_id, ChangeKind::Key, row.id.as_bytes());
                            loaded.lock().skipped.push(change);
                        }
                        Err(fault) => {
                            first_fault.get_or_insert(fault);
                        }
                    }
                })
                .await?;
            first_fault.map_or(Ok(()), Err)
        }));
    }
    for part in parts {
        part.await.map_err(|_| Refused::Internal("loading the keys did not run to its end".into()))??;
    }
    load_imports(store, keyring).await?;
    let loaded = std::mem::take(&mut *loaded.lock());
    Ok(loaded)
}

/// The rotations that each key is a part of, for the few that are.
async fn rotations(store: &Store) -> Result<HashMap<KeyId, Vec<RotationRow>>, Refused> {
    let mut rotations: HashMap<KeyId, Vec<RotationRow>> = HashMap::new();
    for row in store.read().await?.all_rotations().await? {
        for id in [row.old_key_id, row.new_key_id] {
            rotations.entry(id).or_default().push(row.clone());
        }
    }
    Ok(rotations)
}

/// The tags of the keys that have some.
async fn tags(store: &Store) -> Result<HashMap<KeyId, cells::Tags>, Refused> {
    let mut all = HashMap::new();
    store.read().await?.load_tags(|key, tags| drop(all.insert(key, cells::tags(tags)))).await?;
    Ok(all)
}

async fn load_imports(store: &Store, keyring: &Keyring) -> Result<(), Refused> {
    let mut first_fault = None;
    let put = |row: ImportRow| {
        let id = row.key_id;
        match cells::import(row) {
            Ok(import) => keyring.imports.put(id, import),
            Err(fault) => {
                first_fault.get_or_insert(fault);
            }
        }
    };
    store.read().await?.load_imports(put).await?;
    first_fault.map_or(Ok(()), Err)
}

fn put(
    keyring: &Keyring,
    row: &KeyResident<'_>,
    (rotations, tags): (Option<&Vec<RotationRow>>, cells::Tags),
    occasion: Occasion,
) -> Result<(), Refused> {
    let policy: Option<Arc<Policy>> = keyring.directory.policy(row.organization_id, row.policy_hash);
    let policy = policy.ok_or_else(|| Refused::Internal(format!("{} refers to a missing policy", row.id)))?;
    let parent = row.parent_id.map(|id| keyring.parent_cell(id));
    let rotation = rotations.and_then(|rotations| cells::rotation(row.id, rotations));
    let before = if occasion == Occasion::Again { keyring.get(row.id) } else { None };
    let beside = (parent, rotation, tags);
    keyring.put(cells::entry(&keyring.directory, row, policy, beside, before.as_ref())?);
    Ok(())
}

async fn load_shared(store: &Store, keyring: &Keyring, occasion: Occasion) -> Result<(), Refused> {
    let directory = &keyring.directory;
    let _changing = directory.changing();
    let mut reader = store.read().await?;
    let mut permissions: HashMap<ProjectId, Vec<PermissionRow>> = HashMap::new();
    for row in reader.all_permissions().await? {
        permissions.entry(row.project_id).or_default().push(row);
    }
    for row in reader.all_projects().await? {
        let catalogue = permissions.remove(&row.id).unwrap_or_default();
        apply::put_project(directory, &row, &catalogue);
    }
    for row in reader.all_environments().await? {
        match directory.project_by_id(row.project_id) {
            Some(project) => apply::put_environment(directory, &row, project),
            None if occasion != Occasion::Alone => {}
            None => return Err(Refused::Internal("an environment without its project".into())),
        }
    }
    for row in reader.all_roles().await? {
        apply::put_role(directory, &row)?;
    }
    for row in reader.all_service_accounts().await? {
        apply::put_account(directory, &row)?;
    }
    for row in reader.all_consumers().await? {
        apply::put_consumer(directory, &row)?;
    }
    access_policies::load(&mut reader, directory).await?;
    guard::force::load(&mut reader, directory).await?;
    apply_people::load(&mut reader, directory, occasion != Occasion::Alone).await?;
    for row in reader.all_policies().await? {
        match cells::compile_policy(directory, &row.body) {
            Ok(policy) => {
                directory.put_policy(row.organization_id, row.hash, policy);
            }
            // Of a role that was made since: its keys are skipped too.
            Err(_) if occasion != Occasion::Alone => {}
            Err(fault) => return Err(fault),
        }
    }
    Ok(())
}
