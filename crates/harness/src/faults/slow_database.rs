//! A database that answers after 30 s: requests are judged from memory until the bound of freshness, then
//! `unavailable`; acts are refused before the database answers, also many at once; all works again by itself.

use super::proxy::Proxy;
use super::{ANSWER_TIME_MAX, PATIENCE, PAUSE, Scene, refusal};
use crate::place::Place;
use crate::server::pulses;
use crate::worker::{ask, create};
use anyhow::{Context, Result, bail, ensure};
use keystead_sdk::api::Code;
use std::path::Path;
use std::time::Duration;
use tokio::task::JoinSet;

/// More than the acts that the server does at once on PostgreSQL: some wait for their turn.
const AT_ONCE: usize = 20;
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
    let not_done = many_are_refused(&scene).await?;
    let mut tries = PATIENCE.as_millis() / PAUSE.as_millis();
    while scene.verdict().await.ok() == Some(Code::Valid) {
        tries = tries.checked_sub(1).context("beyond the bound of freshness, a key is still valid")?;
        tokio::time::sleep(PAUSE).await;
    }
    ensure!(!scene.client.is_ready().await?, "it says that it is ready and cannot know");
    let published = scene.client.published_identity_keys().await;
    ensure!(published.is_err(), "it publishes keys that may have been replaced");

    proxy.late(Duration::ZERO);
    let not_done: Vec<&str> = not_done.iter().map(String::as_str).chain(["refused"]).collect();
    scene.recovers(&not_done).await?;
    stops(scene, &proxy).await.context("a stop")?;
    place.remove().await
}

/// Acts that come at once are all refused within the stated bound; the names of those that must not be done
/// later either. Of one that had no answer in time nobody said so.
async fn many_are_refused(scene: &Scene) -> Result<Vec<String>> {
    let mut acts = JoinSet::new();
    for number in 0..AT_ONCE {
        let (client, name) = (scene.client.clone(), format!("refused-{number}"));
        acts.spawn(async move { refusal(&client, &name).await.map(|code| (name, code)) });
    }
    let answered = tokio::select! {
        answered = acts.join_all() => answered,
        () = pulses(ANSWER_TIME_MAX) => bail!("of {AT_ONCE} acts at once not all were answered in time"),
    };
    let mut not_done = Vec::new();
    for answer in answered {
        let (name, code) = answer?;
        match code.as_str() {
            "unavailable" => not_done.push(name),
            "timeout" => {}
            other => bail!("one of {AT_ONCE} acts at once was answered {other}"),
        }
    }
    Ok(not_done)
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
