//! A full disk: requests are judged from memory; acts, and credits that would need a new block, are refused;
//! nothing is half done; once there is room, all of it works again without a restart.

use super::disk::Disk;
use super::{Scene, place};
use crate::worker::{ask, create};
use anyhow::{Result, ensure};
use keystead_sdk::api::Code;
use std::path::Path;

const GRANTED: u64 = 30;

pub(super) async fn holds(program: &Path) -> Result<()> {
    let place = place().await?;
    let launcher = place.launcher(program);
    let disk = Disk::mount(&launcher.folder)?;
    let scene = Scene::set(&launcher, &[]).await?;
    let with_credits = create(&scene.client, "credits", Some(GRANTED)).await?.key;
    disk.fill()?;

    ensure!(scene.verdict().await? == Code::Valid, "a key is not judged from memory");
    let mut refused = Vec::new();
    for number in 0..3 {
        let name = format!("refused-{number}");
        scene.act_is_refused(&name).await?;
        refused.push(name);
    }
    ensure!(scene.client.is_live().await?, "it is not alive");
    let verdict = scene.client.verify(&ask(with_credits.clone(), 1)).await?;
    ensure!(
        verdict.code == Code::Unavailable,
        "credits that cannot be debited were answered {}",
        verdict.code
    );

    disk.empty()?;
    let refused: Vec<&str> = refused.iter().map(String::as_str).collect();
    scene.recovers(&refused).await?;
    let mut spent = 0;
    while scene.client.verify(&ask(with_credits.clone(), 1)).await?.valid {
        spent += 1;
    }
    ensure!(spent == GRANTED, "{spent} credits of {GRANTED} were to be had");
    scene.server.stop().await?;
    drop(disk);
    place.remove().await
}
