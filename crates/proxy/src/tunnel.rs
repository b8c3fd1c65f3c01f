//! What a connection becomes after an upgrade: bytes in both directions.

use crate::counts::Tunnel;
use crate::download::Held;
use crate::upstream::Lent;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use std::time::Duration;
use tokio::io::copy_bidirectional;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// Carries bytes until one side ends, nothing comes for `idle` (noticed within twice that), or `cut`.
pub(crate) async fn carry(
    client: OnUpgrade,
    upstream: OnUpgrade,
    idle: Duration,
    held: Held,
    lent: Lent,
    cut: CancellationToken,
    counted: Tunnel,
) {
    let carried = async {
        let (client, upstream) = tokio::try_join!(client, upstream)?;
        let (mut client, mut upstream) = (TokioIo::new(client), TokioIo::new(upstream));
        if let Err(error) = copy_bidirectional(&mut client, &mut upstream).await {
            tracing::debug!(%error, "a tunnel ended early");
        }
        Ok::<_, hyper::Error>(())
    };
    let silent = async {
        loop {
            let before = held.in_work.movement();
            sleep(idle).await;
            if before == held.in_work.movement() {
                return;
            }
        }
    };
    tokio::select! {
        _ = carried => {}
        () = silent => tracing::debug!("a tunnel was silent for too long"),
        () = cut.cancelled() => {}
    }
    drop((lent, counted));
}
