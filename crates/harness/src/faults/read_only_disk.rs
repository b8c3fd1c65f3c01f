//! A read-only disk: the server does not start, and says why and what to do; nothing is damaged, and it
//! starts once it may write.

use super::disk::Disk;
use super::{Scene, client, place};
use anyhow::{Context, Result, ensure};
use std::path::Path;

pub(super) async fn holds(program: &Path) -> Result<()> {
    let place = place().await?;
    let launcher = place.launcher(program);
    let disk = Disk::mount(&launcher.folder)?;
    let scene = Scene::set(&launcher, &[]).await?;
    let admin_key = scene.server.admin_key.clone().context("the first start printed no key")?;
    let (key, _) = (scene.key.clone(), scene.server.stop().await?);

    disk.read_only(true)?;
    let said = launcher.fails().await?;
    ensure!(said.to_lowercase().contains("read-only"), "it does not say that the disk is read-only: {said}");
    ensure!(!said.contains("panicked"), "it panicked: {said}");

    disk.read_only(false)?;
    let server = launcher.start(&[]).await.context("once it may write")?;
    let client = client(&server, &admin_key)?;
    let scene = Scene { server, client, key };
    scene.recovers(&[]).await?;
    scene.server.stop().await?;
    drop(disk);
    place.remove().await
}
