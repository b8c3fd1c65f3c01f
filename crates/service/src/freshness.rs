//! Freshness: a node that cannot know of every change answers `unavailable`, always.

use crate::Keystead;
use crate::follow::Followed;
use keystead_domain::time::{Micros, SECOND};
use keystead_store::FeedReader;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout, timeout_at};

const BEAT: Duration = Duration::from_secs(1);

impl Keystead {
    /// The sole owner of its database is fresh unless it could not read its own change again: that
    /// is tried about every second.
    pub(crate) async fn keep_applied(self: Arc<Self>) {
        loop {
            tokio::time::sleep(BEAT).await;
            if self.appliers.has_pending() {
                let _ = self.apply_pending().await;
                self.say_stale(self.appliers.has_pending());
            }
        }
    }

    /// Follows the feed. What is known is as fresh as the start of the last round that was ended;
    /// stale by either clock, because the monotonic one of a paused machine stood still.
    pub(crate) async fn keep_fresh(self: Arc<Self>, mut reader: FeedReader, max_staleness: Duration) {
        let mut fresh_at = Instant::now();
        loop {
            reader.wait().await;
            let (began, began_wall) = (Instant::now(), self.clock.now());
            let round = self.round(&mut reader);
            // While it is fresh the round must end before it is not; else it may take its time.
            let ended = if self.keyring.is_stale(began_wall) {
                timeout(max_staleness, round).await
            } else {
                timeout_at(fresh_at + max_staleness, round).await
            };
            match ended {
                Ok(Ok(Followed::UpToDate)) => {
                    fresh_at = began;
                    self.keyring.set_fresh_until(until(began_wall, max_staleness));
                    self.feed.send_replace(reader.mark());
                }
                Ok(Ok(Followed::Lost)) => {
                    self.say_stale(true);
                    while let Err(error) = self.reload().await {
                        tracing::error!(%error, "the keys could not be loaded anew");
                        tokio::time::sleep(BEAT).await;
                    }
                    continue;
                }
                Ok(Err(error)) => tracing::warn!(%error, "the change feed could not be read"),
                Err(_) => tracing::warn!("the change feed could not be read in time"),
            }
            self.say_stale(fresh_at.elapsed() > max_staleness || self.appliers.has_pending());
        }
    }

    async fn round(&self, reader: &mut FeedReader) -> Result<Followed, crate::Refused> {
        self.apply_pending().await?;
        self.follow(reader).await
    }

    fn say_stale(&self, stale: bool) {
        if stale != self.keyring.swap_stale(stale) {
            tracing::warn!(stale, "freshness changed: verdicts are `unavailable` while stale");
        }
    }
}

/// Until when what was read at that instant may be answered from.
pub(crate) fn until(began: Micros, max_staleness: Duration) -> Micros {
    began.plus(i64::try_from(max_staleness.as_micros()).unwrap_or(10 * SECOND))
}
