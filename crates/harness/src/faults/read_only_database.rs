//! A database that takes no writes (a replica after a failover): requests are judged from memory, acts are
//! refused, and all works again once it takes them.

use super::Scene;
use crate::place::Place;
use anyhow::{Result, ensure};
use keystead_sdk::api::Code;
use std::path::Path;

pub(super) async fn holds(program: &Path, url: &str) -> Result<()> {
    let place = Place::make(Some(url)).await?;
    let launcher = place.launcher(program);
    // Freshness is another fault's matter.
    let scene = Scene::set(&launcher, &["--freshness-max-staleness-seconds", "300"]).await?;
    place.read_only(true).await?;

    ensure!(scene.verdict().await? == Code::Valid, "a key is not judged from memory");
    // Of the first, the connection is found broken.
    for name in ["refused-0", "refused-1", "refused-2"] {
        scene.act_is_refused(name).await?;
    }

    place.read_only(false).await?;
    scene.recovers(&["refused-0", "refused-1", "refused-2"]).await?;
    scene.server.stop().await?;
    place.remove().await
}
