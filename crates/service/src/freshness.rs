//! Freshness: a node that cannot know of every change answers `unavailable`, always.

use crate::Keystead;
use keystead_domain::time::SECOND;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

const BEAT: Duration = Duration::from_secs(1);

impl Keystead {
    /// Confirms about every second that this process still owns its database, and applies what
    /// could not be applied. Stale by either clock: a machine that was paused has a monotonic
    /// clock that stood still.
    pub(crate) async fn keep_fresh(self: Arc<Self>, max_staleness: Duration) {
        let (mut fresh_at, mut fresh_wall) = (Instant::now(), self.clock.now());
        loop {
            tokio::select! {
                () = self.stopping.cancelled() => return,
                () = tokio::time::sleep(BEAT) => {}
            }
            let (began, began_wall) = (Instant::now(), self.clock.now());
            let confirmed = tokio::time::timeout(max_staleness, self.confirm_once()).await;
            if matches!(confirmed, Ok(true)) {
                (fresh_at, fresh_wall) = (began, began_wall);
            }
            let wall_micros = self.clock.now().since(fresh_wall);
            let limit_micros = i64::try_from(max_staleness.as_micros()).unwrap_or(10 * SECOND);
            let stale = fresh_at.elapsed() > max_staleness
                || wall_micros > limit_micros
                || self.appliers.has_pending();
            if stale != self.keyring.is_stale() {
                tracing::warn!(stale, "freshness changed: verdicts are `unavailable` while stale");
            }
            self.keyring.set_stale(stale);
        }
    }

    async fn confirm_once(&self) -> bool {
        if let Err(error) = self.store.confirm().await {
            tracing::warn!(%error, "the database does not confirm that this process owns it");
            return false;
        }
        self.apply_pending().await.is_ok()
    }
}
