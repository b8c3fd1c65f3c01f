//! Purging temporary keys some time after they expired: what was done with them stays in the audit.

use crate::Keystead;
use crate::act::Target;
use crate::refused::Refused;
use keystead_domain::ids::OrganizationId;
use keystead_store::{Acted, Change, ChangeKind, Event, StoreError};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Keys purged in one transaction, so that others' acts wait for a moment only.
const AT_ONCE: u32 = 200;

/// How temporary keys are kept.
#[derive(Debug, Clone, Copy)]
pub struct Temporary {
    /// How long an expired one stays visible.
    pub purge_after: Duration,
    /// How many keys minted from one may be there, those that are expired and not purged too.
    pub minted_max: usize,
}

impl Default for Temporary {
    fn default() -> Self {
        Self { purge_after: Duration::from_secs(86_400), minted_max: 250_000 }
    }
}

impl Keystead {
    /// Purges every temporary key that expired long enough ago; how many.
    ///
    /// # Errors
    /// When the database does not answer; what was purged by then stays purged.
    pub async fn purge_temporary_keys(self: &Arc<Self>) -> Result<usize, Refused> {
        let kept = i64::try_from(self.temporary.purge_after.as_micros()).unwrap_or(i64::MAX);
        let before = self.clock.now().plus(kept.saturating_neg());
        let mut purged = 0;
        loop {
            let mut due = self.store.read().await?.temporary_keys_expired_before(before, AT_ONCE).await?;
            let is_last = due.len() < AT_ONCE as usize;
            // As every act locks keys.
            due.sort_unstable_by_key(|(_, id)| *id);
            if !due.is_empty() {
                let this = Arc::clone(self);
                let done = self
                    .act(move |tx| {
                        Box::pin(async move {
                            let mut counts: BTreeMap<OrganizationId, usize> = BTreeMap::new();
                            let mut changes = Vec::with_capacity(due.len());
                            for (organization, id) in due {
                                // Another node may have been faster.
                                let deleted = tx.delete_key(organization, id).await?;
                                *counts.entry(organization).or_default() += usize::from(deleted);
                                changes.push(Change::new(organization, ChangeKind::Key, id.as_bytes()));
                            }
                            counts.retain(|_, count| *count > 0);
                            if counts.is_empty() {
                                return Err(StoreError::Conflict.into());
                            }
                            let events = counts.iter().map(|(id, count)| this.purged(*id, *count)).collect();
                            Ok::<_, Refused>(Acted { value: counts.values().sum::<usize>(), events, changes })
                        })
                    })
                    .await;
                match done {
                    // All of them were another node's: there is nothing to tell.
                    Err(Refused::Conflict { .. }) => {}
                    done => purged += done?,
                }
            }
            if is_last {
                return Ok(purged);
            }
        }
    }

    fn purged(&self, organization: OrganizationId, count: usize) -> Event {
        let target = Target { kind: "key", id: String::new(), name: "expired temporary keys", project: None };
        let mut event = self.own_event(organization, "key.purge", target);
        event.after_body = Some(serde_json::json!({ "purged": count }).to_string());
        event
    }
}
