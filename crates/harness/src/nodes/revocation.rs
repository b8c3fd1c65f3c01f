//! A key made on one node works on the other at once; a revocation holds there, also for a key that
//! neither has seen since it was made.

use super::Cluster;
use crate::place::Place;
use anyhow::{Result, ensure};
use keystead_sdk::api::{Code, CreateKey};
use std::path::Path;

const KEYS: usize = 20;

pub(super) async fn holds(program: &Path, url: &str) -> Result<()> {
    let place = Place::make(Some(url)).await?;
    let cluster = Cluster::start(&place, program).await?;
    let first = &cluster.first;
    let unseen = first.create(CreateKey { name: "unseen".into(), ..CreateKey::default() }).await?;
    let second = cluster.another().await?;
    for number in 0..KEYS {
        let (maker, other) = if number % 2 == 0 { (first, &second) } else { (&second, first) };
        let made = maker.create(CreateKey { name: format!("k{number}"), ..CreateKey::default() }).await?;
        let found = other.verdict(&made.key).await?;
        ensure!(found == Code::Valid, "a key that was just made on the other node is {found}");
        maker.revoke(&made.details.id).await?;
        ensure!(maker.verdict(&made.key).await? == Code::Revoked, "revoked, and not on the same node");
        other.comes_to(&made.key, Code::Revoked, &[Code::Valid]).await?;
    }
    first.revoke(&unseen.details.id).await?;
    second.comes_to(&unseen.key, Code::Revoked, &[Code::Valid]).await?;
    for node in [first, &second] {
        let list = node.client.list_nodes().await?.items;
        ensure!(list.len() == 2, "{} nodes are listed, and two run", list.len());
    }
    second.server.stop().await?;
    let list = first.client.list_nodes().await?.items;
    ensure!(list.len() == 1, "a node that was stopped in order is still listed");
    cluster.first.server.stop().await?;
    place.remove().await
}
