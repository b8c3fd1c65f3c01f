//! A database that takes no writes (a replica after a failover): requests are judged from memory, acts are
//! refused, keys with a limit are answered `unavailable` once another node may count it, and all works again
//! once it takes them.

use super::{PATIENCE, PAUSE, Scene};
use crate::place::Place;
use crate::worker::{ENVIRONMENT, PROJECT, ask};
use anyhow::{Context, Result, bail, ensure};
use keystead_sdk::api::{Code, CreateKey, LimitSpec};
use std::path::Path;

/// So many may pass in a day.
const LIMIT: u64 = 10;

pub(super) async fn holds(program: &Path, url: &str) -> Result<()> {
    let place = Place::make(Some(url)).await?;
    let launcher = place.launcher(program);
    // Freshness is another fault's matter.
    let scene = Scene::set(&launcher, &["--freshness-max-staleness-seconds", "300"]).await?;
    let limited = used_up(&scene).await?;
    place.read_only(true).await?;

    ensure!(scene.verdict().await? == Code::Valid, "a key is not judged from memory");
    // Of the first, the connection is found broken.
    for name in ["refused-0", "refused-1", "refused-2"] {
        scene.act_is_refused(name).await?;
    }
    comes_to(&scene, &limited, Code::RateLimited, Code::Unavailable).await?;
    ensure!(scene.verdict().await? == Code::Valid, "a key without a limit suffers, too");

    place.read_only(false).await?;
    scene.recovers(&["refused-0", "refused-1", "refused-2"]).await?;
    comes_to(&scene, &limited, Code::Unavailable, Code::RateLimited).await?;
    scene.server.stop().await?;
    place.remove().await
}

/// A key whose limit is used up.
async fn used_up(scene: &Scene) -> Result<String> {
    let limit = LimitSpec { name: "main".into(), limit: LIMIT, window: "1d".into(), burst: None };
    let key = CreateKey {
        name: "limited".into(),
        environment: ENVIRONMENT.into(),
        limits: vec![limit],
        ..CreateKey::default()
    };
    let key = scene.client.create_key(PROJECT, &key).await?.key;
    for _ in 0..LIMIT {
        let found = scene.client.verify(&ask(key.clone(), 1)).await?.code;
        ensure!(found == Code::Valid, "a key is {found} before its limit is used up");
    }
    Ok(key)
}

/// Asks until the verdict is this one, and before it only that one: what was counted is not forgotten.
async fn comes_to(scene: &Scene, key: &str, from: Code, to: Code) -> Result<()> {
    let mut tries = PATIENCE.as_millis() / PAUSE.as_millis();
    loop {
        match scene.client.verify(&ask(key.to_owned(), 1)).await?.code {
            found if found == to => return Ok(()),
            found if found == from => {}
            found => bail!("a key whose limit is used up is {found} before it is {to}"),
        }
        tries = tries.checked_sub(1).with_context(|| format!("it stays {from} and never is {to}"))?;
        tokio::time::sleep(PAUSE).await;
    }
}
