//! A database that answers after 30 s: requests are judged from memory until the bound of freshness, then
//! `unavailable`; acts are refused before the database answers; all works again by itself.

use super::proxy::Proxy;
use super::{PATIENCE, PAUSE, Scene};
use crate::place::Place;
use crate::worker::{ask, create};
use anyhow::{Context, Result, ensure};
use keystead_sdk::api::Code;
use std::path::Path;
use std::time::Duration;

const LATE: Duration = Duration::from_secs(30);

pub(super) async fn holds(program: &Path, url: &str) -> Result<()> {
    let mut place = Place::make(Some(url)).await?;
    let proxy = Proxy::start(place.address()?).await?;
    place.through(proxy.address())?;
    let launcher = place.launcher(program);
    let scene = Scene::set(&launcher, &["--freshness-max-staleness-seconds", "4"]).await?;
    proxy.late(LATE);

    ensure!(scene.verdict().await? == Code::Valid, "a key is not judged from memory");
    scene.act_is_refused("refused").await?;
    let mut tries = PATIENCE.as_millis() / PAUSE.as_millis();
    while scene.verdict().await.ok() == Some(Code::Valid) {
        tries = tries.checked_sub(1).context("beyond the bound of freshness, a key is still valid")?;
        tokio::time::sleep(PAUSE).await;
    }
    ensure!(!scene.client.is_ready().await?, "it says that it is ready and cannot know");

    proxy.late(Duration::ZERO);
    scene.recovers(&["refused"]).await?;
    stops(scene, &proxy).await.context("a stop")?;
    place.remove().await
}

/// Told to stop when nothing can be written, with an act, usage and a leased block in hand, it ends
/// within the stated bound all the same.
async fn stops(scene: Scene, proxy: &Proxy) -> Result<()> {
    let with_credits = create(&scene.client, "credits", Some(1_000)).await?.key;
    ensure!(scene.client.verify(&ask(with_credits, 1)).await?.valid, "credits cannot be spent");
    ensure!(scene.verdict().await? == Code::Valid, "a key is not valid");
    proxy.late(LATE);
    let Scene { server, client, .. } = scene;
    let act = tokio::spawn(async move { create(&client, "late", None).await.map(|_| ()) });
    tokio::time::sleep(PAUSE).await;
    server.stop().await?;
    ensure!(act.await?.is_err(), "an act was answered that was not done");
    Ok(())
}
