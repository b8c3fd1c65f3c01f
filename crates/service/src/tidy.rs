//! Throwing away what nobody will read again: old rows of the change feed, accounts of rate limits that
//! were paid for long ago, temporary keys that expired long ago, audit records that were kept for long enough, policies that no key
//! has.

use crate::Keystead;
use keystead_domain::time::SECOND;
use keystead_store::StoreError;
use std::sync::Arc;
use std::time::Duration;

/// Policies deleted in one transaction.
const POLICIES_AT_ONCE: u32 = 200;
const EVERY: Duration = Duration::from_secs(3_600);
/// A little less than [`EVERY`], so that one node alone does it at each of its ticks.
const PERIOD_MICROS: i64 = 3_500 * SECOND;
/// No reader of the feed is ever this far behind: it would have loaded everything anew.
const FEED_KEPT_MICROS: i64 = 86_400 * SECOND;

impl Keystead {
    /// Tidies at the start and every hour until the stop.
    pub(crate) async fn keep_tidy(self: Arc<Self>) {
        let mut ticks = tokio::time::interval(EVERY);
        let mut starts = true;
        loop {
            ticks.tick().await;
            match self.tidy().await {
                Ok(true) => {
                    if let Err(error) = self.trim_rates().await {
                        tracing::warn!(%error, "accounts of rate limits that are paid for could not be removed");
                    }
                }
                Ok(false) => {}
                Err(error) => tracing::warn!(%error, "old rows of the change feed could not be removed"),
            }
            if let Err(error) = self.purge_temporary_keys().await {
                tracing::warn!(%error, "temporary keys that have expired could not be purged");
            }
            if let Err(error) = self.purge_sign_in().await {
                tracing::warn!(%error, "sessions and links that are over could not be forgotten");
            }
            if let Err(error) = self.forget_old_approvals().await {
                tracing::warn!(%error, "requests for approvals that are over could not be forgotten");
            }
            // What goes is gone for ever: whoever started it with a wrong clock has an hour to see that.
            if !std::mem::take(&mut starts)
                && let Err(error) = self.delete_old_audit().await
            {
                tracing::warn!(%error, "audit records that were kept for long enough could not be deleted");
            }
            if let Err(error) = self.thin_checkpoints().await {
                tracing::warn!(%error, "old checkpoints of the audit could not be forgotten");
            }
            if let Err(error) = self.forget_unused_policies().await {
                tracing::debug!(%error, "policies that no key has were left for the next hour");
            }
        }
    }

    pub(crate) async fn forget_unused_policies(&self) -> Result<(), StoreError> {
        let forget = || {
            self.store.bookkeeping(move |ledger| {
                Box::pin(async move { ledger.delete_unused_policies(POLICIES_AT_ONCE).await })
            })
        };
        while forget().await? >= u64::from(POLICIES_AT_ONCE) {}
        Ok(())
    }

    /// One node does it an hour, whichever comes first; whether it was this one.
    async fn tidy(&self) -> Result<bool, StoreError> {
        let now = self.clock.now();
        let up_to = *self.feed.borrow();
        self.store
            .bookkeeping(move |ledger| {
                Box::pin(async move {
                    let claimed = ledger.claim_job("tidy", now, now.plus(PERIOD_MICROS)).await?;
                    if claimed {
                        ledger.trim_feed(now.plus(-FEED_KEPT_MICROS), up_to).await?;
                    }
                    Ok(claimed)
                })
            })
            .await
    }
}
