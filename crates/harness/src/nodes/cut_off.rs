//! A node whose packets to the database are dropped, without a word to anybody: it answers `unavailable`
//! once it could not know for the bound, never a verdict that was true before, and recovers by itself.

use super::{Cluster, PATIENCE, PAUSE, STALENESS};
use crate::place::Place;
use anyhow::{Context, Result, ensure};
use keystead_sdk::api::{Code, CreateKey};
use std::path::Path;
use tokio::time::Instant;

pub(super) async fn holds(program: &Path, url: &str) -> Result<()> {
    let mut place = Place::make(Some(url)).await?;
    let cluster = Cluster::start(&place, program).await?;
    let create = async |name: &str| {
        cluster.first.create(CreateKey { name: name.into(), ..CreateKey::default() }).await
    };
    let (stays, stolen) = (create("stays").await?, create("stolen").await?);
    let (proxy, far) = cluster.behind(&mut place, program).await?;
    for key in [&stays.key, &stolen.key] {
        ensure!(far.verdict(key).await? == Code::Valid, "a key does not work on the other node");
    }

    proxy.cut();
    cluster.first.revoke(&stolen.details.id).await?;
    let since = Instant::now();
    let mut tries = PATIENCE.as_millis() / PAUSE.as_millis();
    loop {
        // Taken before it is asked: what is asked beyond the bound must not pass, however slow the answer.
        let is_beyond = since.elapsed() > STALENESS;
        let found = far.verdict(&stolen.key).await?;
        ensure!(!(is_beyond && found == Code::Valid), "beyond the bound a revoked key is valid");
        match found {
            Code::Unavailable => break,
            Code::Valid => tries = tries.checked_sub(1).context("it never is unavailable")?,
            other => anyhow::bail!("a node that was cut off answers {other}"),
        }
        tokio::time::sleep(PAUSE).await;
    }
    ensure!(
        far.verdict(&stays.key).await? == Code::Unavailable,
        "another key is judged although none can be"
    );
    let unknown = far.verdict("keystead_live_nothing").await?;
    ensure!(unknown == Code::Unavailable, "it cannot know, and says {unknown}");
    ensure!(!far.client.is_ready().await?, "it says that it is ready and cannot know");
    ensure!(cluster.first.verdict(&stays.key).await? == Code::Valid, "the other node suffers, too");

    proxy.heal();
    far.comes_to(&stays.key, Code::Valid, &[Code::Unavailable]).await?;
    ensure!(far.verdict(&stolen.key).await? == Code::Revoked, "it recovered, and missed the revocation");
    ensure!(far.client.is_ready().await?, "it works and says that it is not ready");
    let made = create("after").await?;
    ensure!(far.verdict(&made.key).await? == Code::Valid, "it recovered, and does not find a new key");
    far.server.stop().await?;
    cluster.first.server.stop().await?;
    place.remove().await
}
