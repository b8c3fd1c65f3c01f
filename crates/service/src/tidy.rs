//! Throwing away what nobody will read again: old rows of the change feed.

use crate::Keystead;
use keystead_domain::time::SECOND;
use std::sync::Arc;
use std::time::Duration;

const EVERY: Duration = Duration::from_secs(3_600);
/// No reader of the feed is ever this far behind: it would have loaded everything anew.
const FEED_KEPT_MICROS: i64 = 86_400 * SECOND;

impl Keystead {
    /// Tidies at the start and every hour until the stop.
    pub(crate) async fn keep_tidy(self: Arc<Self>) {
        let mut ticks = tokio::time::interval(EVERY);
        loop {
            tokio::select! {
                () = self.stopping.cancelled() => return,
                _ = ticks.tick() => {}
            }
            let before = self.clock.now().plus(-FEED_KEPT_MICROS);
            let trimmed =
                self.store.bookkeeping(move |ledger| Box::pin(async move { ledger.trim_feed(before).await }));
            if let Err(error) = trimmed.await {
                tracing::warn!(%error, "old rows of the change feed could not be removed");
            }
        }
    }
}
