//! A disk that becomes read-only under a running server, as Linux does with one that has errors: requests are
//! judged from memory, what would have to be written is refused; once the disk is well again and the server
//! started anew, all that was acknowledged is there, and nothing that was refused.

use super::disk::FailingDisk;
use super::{Scene, client, place};
use crate::say;
use crate::worker::{ask, create};
use anyhow::{Context, Result, ensure};
use keystead_sdk::api::Code;
use std::path::Path;

const GRANTED: u64 = 30;

pub(super) async fn holds(program: &Path) -> Result<()> {
    let place = place().await?;
    let launcher = place.launcher(program);
    let image = place.beside()?;
    let Some(disk) = FailingDisk::mount(&image, &launcher.folder)? else {
        say::line("a disk that becomes read-only: skipped, for want of mkfs.ext4 and loop devices");
        return place.remove().await;
    };
    let scene = Scene::set(&launcher, &[]).await?;
    let admin_key = scene.server.admin_key.clone().context("the first start printed no key")?;
    let with_credits = create(&scene.client, "credits", Some(GRANTED)).await?.key;
    disk.fail()?;

    ensure!(scene.verdict().await? == Code::Valid, "a key is not judged from memory");
    for _ in 0..3 {
        scene.act_is_refused("refused").await?;
    }
    ensure!(scene.client.is_live().await?, "it is not alive");
    let verdict = scene.client.verify(&ask(with_credits.clone(), 1)).await?;
    let code = verdict.code;
    ensure!(code == Code::Unavailable, "credits that cannot be debited were answered {code}");
    let Scene { server, key, .. } = scene;
    server.stop().await.context("on a disk that takes nothing")?;

    disk.repair()?;
    let server = launcher.start(&[]).await.context("once it may write")?;
    let client = client(&server, &admin_key)?;
    let scene = Scene { server, client, key };
    scene.recovers(&["refused"]).await?;
    let mut spent = 0;
    while scene.client.verify(&ask(with_credits.clone(), 1)).await?.valid {
        spent += 1;
    }
    ensure!(spent == GRANTED, "{spent} credits of {GRANTED} were to be had");
    scene.server.stop().await?;
    drop(disk);
    std::fs::remove_file(&image)?;
    place.remove().await
}
