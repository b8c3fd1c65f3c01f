//! A kill loses of what was used at most what came after the last flush.

use super::{PATIENCE, PAUSE, Scene, client};
use crate::place::Place;
use anyhow::{Context, Result, ensure};
use std::path::Path;

const BEFORE: u64 = 20;
const AFTER: u64 = 5;

pub(super) async fn holds(program: &Path, postgres: Option<&str>) -> Result<()> {
    let place = Place::make(postgres).await?;
    let launcher = place.launcher(program);
    let scene = Scene::set(&launcher, &["--usage-flush-seconds", "1"]).await?;
    let admin_key = scene.server.admin_key.clone().context("the first start printed no key")?;
    for _ in 0..BEFORE {
        scene.verdict().await?;
    }
    let mut tries = PATIENCE.as_millis() / PAUSE.as_millis();
    while scene.passed().await? < BEFORE {
        tries = tries.checked_sub(1).context("what was used is never written")?;
        tokio::time::sleep(PAUSE).await;
    }
    for _ in 0..AFTER {
        scene.verdict().await?;
    }
    let Scene { server, key, .. } = scene;
    server.kill().await?;

    let server = launcher.start(&[]).await?;
    let client = client(&server, &admin_key)?;
    let scene = Scene { server, client, key };
    let passed = scene.passed().await?;
    ensure!((BEFORE..=BEFORE + AFTER).contains(&passed), "{passed} uses are known of {BEFORE} and {AFTER}");
    scene.server.stop().await?;
    place.remove().await
}
