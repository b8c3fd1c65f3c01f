//! Keys that the demo keeps: made once, and again when they are lost or no longer usable.

use crate::keys::with_tag;
use crate::memory::{self, keep, recall};
use anyhow::{Context, Result};
use keystead_sdk::Client;
use keystead_sdk::api::{
    CreateKey, Endpoint, KeyStatus, LimitSpec, NarrowedPermission, Networks, PermissionGrant, Restrictions,
    RevokeKey, RoleGrant, WhoAmI,
};
use std::path::Path;

pub(crate) const PROJECT: &str = "registry";
pub(crate) const ENVIRONMENT: &str = "production";
/// The project of keys for Keystead's own API.
const SYSTEM: &str = "keystead";
const CONSUMER: &str = "ORG-AUR-17";

/// The keys of nobody in particular: one to try things with, and the guard's.
pub(crate) async fn own(admin: &Client, data: &Path) -> Result<()> {
    for (file, project, new) in
        [(memory::FIRST_STEPS, PROJECT, first_steps()), (memory::GUARD, SYSTEM, guard())]
    {
        if !is_kept(admin, data, file).await? {
            make(admin, admin, data, file, project, new).await.context(file)?;
        }
    }
    Ok(())
}

/// Whether there is such a key, which works.
pub(crate) async fn is_kept(admin: &Client, data: &Path, file: &str) -> Result<bool> {
    let Some(key) = recall(data, file)? else { return Ok(false) };
    match admin.whoami(&WhoAmI { key: Some(key) }).await {
        Ok(found) => Ok(found.key.key.status == KeyStatus::Active),
        Err(error) if error.status().is_some_and(|status| (400..500).contains(&status)) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Makes and keeps a key; those of the same first tag, whose secret nobody has any more, are revoked.
pub(crate) async fn make(
    admin: &Client,
    maker: &Client,
    data: &Path,
    file: &str,
    project: &str,
    new: CreateKey,
) -> Result<()> {
    let mark = new.tags.first().context("a key without a mark would be made again at each start")?;
    for lost in with_tag(admin, project, mark).await? {
        if lost.status != KeyStatus::Revoked {
            let reason = "Nobody has its secret any more".to_owned();
            admin.revoke_key(&lost.id, &RevokeKey { reason }).await?;
        }
    }
    keep(data, file, &maker.create_key(project, &new).await?.key)
}

fn first_steps() -> CreateKey {
    let network = Networks { allow: vec!["203.0.113.0/24".to_owned()], deny: Vec::new() };
    let endpoint = Endpoint { methods: vec!["GET".to_owned()], path: "/v1/networks/*".to_owned() };
    CreateKey {
        name: "First steps".to_owned(),
        environment: ENVIRONMENT.to_owned(),
        consumer: Some(CONSUMER.to_owned()),
        roles: vec![RoleGrant::Everywhere("reader".to_owned())],
        restrictions: Restrictions {
            networks: Some(network),
            endpoints: vec![endpoint],
            ..Restrictions::default()
        },
        limits: vec![LimitSpec {
            name: "requests".to_owned(),
            limit: 60,
            window: "1m".to_owned(),
            burst: None,
        }],
        tags: vec!["tour:first-steps".to_owned()],
        ..CreateKey::default()
    }
}

fn guard() -> CreateKey {
    let permission = NarrowedPermission {
        permission: "keys.verify".to_owned(),
        resources: vec![format!("projects/{PROJECT}/environments/{ENVIRONMENT}")],
    };
    CreateKey {
        name: "Guard of the registry's API".to_owned(),
        environment: ENVIRONMENT.to_owned(),
        permissions: vec![PermissionGrant::Narrowed(permission)],
        tags: vec!["tour:guard".to_owned()],
        ..CreateKey::default()
    }
}
