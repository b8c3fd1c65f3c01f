//! What a connection becomes after an upgrade: bytes in both directions.

use crate::begun::{self, Begun};
use crate::counts::Tunnel;
use crate::download::Held;
use crate::idle::rests;
use crate::upstream::Lent;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::copy_bidirectional;
use tokio_util::sync::CancellationToken;

/// What a tunnel takes of the proxy and of an upstream, until it ends.
pub(crate) struct Carried {
    pub(crate) in_work: Held,
    pub(crate) _lent: Lent,
    pub(crate) _counted: Tunnel,
}

/// Carries bytes until one side ends, nothing comes for `idle` (noticed within twice that), it may not go on any more, or
/// `cut`.
pub(crate) async fn carry(
    client: OnUpgrade,
    upstream: OnUpgrade,
    idle: Duration,
    holds: Carried,
    begun: Option<Arc<Begun>>,
    cut: CancellationToken,
) {
    let carried = async {
        let (client, upstream) = tokio::try_join!(client, upstream)?;
        let (mut client, mut upstream) = (TokioIo::new(client), TokioIo::new(upstream));
        if let Err(error) = copy_bidirectional(&mut client, &mut upstream).await {
            tracing::debug!(%error, "a tunnel ended early");
        }
        Ok::<_, hyper::Error>(())
    };
    let silent = rests(|| holds.in_work.in_work.movement(), idle);
    tokio::select! {
        _ = carried => {}
        () = silent => tracing::debug!("a tunnel was silent for too long"),
        _ = begun::refused(begun.as_deref()) => tracing::info!("a tunnel ends: its request would be refused now"),
        () = cut.cancelled() => {}
    }
    drop(holds);
}
