//! Nodes of two versions beside each other, as in an upgrade that replaces one after the other: the newer
//! one brings the schema up to date under the older one, and both go on.

use super::{Cluster, Node};
use crate::place::Place;
use crate::say;
use anyhow::{Context, Result, ensure};
use keystead_sdk::api::{Code, CreateKey};
use std::path::Path;

/// # Errors
/// With what does not hold. `old` is a server of an earlier version whose schema is not newer.
pub(crate) async fn holds(old: &Path, new: &Path, url: &str) -> Result<()> {
    let place = Place::make(Some(url)).await?;
    let cluster = Cluster::start(&place, old).await.context("the old version")?;
    let before = cluster.first.create(CreateKey { name: "before".into(), ..CreateKey::default() }).await?;
    let newer = place.launcher(new);
    let second = Node::start(&newer.beside()?, &cluster.admin_key).await.context("the new version")?;
    ensure!(second.verdict(&before.key).await? == Code::Valid, "the new version does not know an old key");
    for number in 0..10 {
        let nodes = [&cluster.first, &second];
        let (maker, other) = if number % 2 == 0 { (nodes[0], nodes[1]) } else { (nodes[1], nodes[0]) };
        let made = maker.create(CreateKey { name: format!("k{number}"), ..CreateKey::default() }).await?;
        ensure!(other.verdict(&made.key).await? == Code::Valid, "a key of the other version does not work");
        maker.revoke(&made.details.id).await?;
        other.comes_to(&made.key, Code::Revoked, &[Code::Valid]).await?;
    }
    // The old one is started again on the new schema: an upgrade that is taken back.
    let Cluster { first, launcher, admin_key } = cluster;
    first.server.stop().await?;
    let first = Node::start(&launcher, &admin_key).await.context("the old version on the new schema")?;
    ensure!(first.verdict(&before.key).await? == Code::Valid, "the old version lost a key");
    second.revoke(&before.details.id).await?;
    first.comes_to(&before.key, Code::Revoked, &[Code::Valid]).await?;
    first.server.stop().await?;
    let third = Node::start(&newer.beside()?, &admin_key).await?;
    ensure!(third.verdict(&before.key).await? == Code::Revoked, "a revocation is lost in the upgrade");
    third.server.stop().await?;
    second.server.stop().await?;
    place.remove().await?;
    say::line("two versions beside each other, in an upgrade that is taken back once: as stated");
    Ok(())
}
