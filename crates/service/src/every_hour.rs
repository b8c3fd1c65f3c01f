//! What is done at the start and every hour: counters of routes that say nothing any more go, rotations and the keys that sign identities are tended, orphans told of, and teams' contacts asked.

use crate::Keystead;
use std::sync::Arc;
use std::time::Duration;

const EVERY: Duration = Duration::from_secs(3_600);

impl Keystead {
    /// Does it until the stop. What fails keeps nothing else from being done.
    pub(crate) async fn keep_hourly(self: Arc<Self>) {
        let mut ticks = tokio::time::interval(EVERY);
        loop {
            ticks.tick().await;
            for guarded in self.keyring.directory.guards() {
                guarded.cells.sweep(self.clock.now());
            }
            if let Err(error) = self.tend_identity_keys().await {
                tracing::warn!(%error, "keys that sign identities could not be tended; the next hour tries again");
            }
            if let Err(error) = self.tend_rotations().await {
                tracing::warn!(%error, "rotations could not be tended; the next hour tries again");
            }
            if let Err(error) = self.tell_orphans().await {
                tracing::warn!(%error, "keys without a person could not be told of; the next hour tries again");
            }
            if let Err(error) = self.ask_contacts().await {
                tracing::warn!(%error, "teams' contacts could not be asked; the next hour tries again");
            }
        }
    }
}
