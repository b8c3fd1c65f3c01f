//! Who counts rate limits: a node that is alone, in its memory, or several, by shares of one account.

use crate::Keystead;
use crate::freshness;
use crate::membership::Met;
use crate::refused::Refused;
use crate::shares::Mode;
use keystead_domain::ids::NodeId;
use keystead_domain::time::Micros;
use keystead_store::StoreError;

/// Who may count rate limits alone from now on, given who may now: `own` when nobody else lives. One that
/// lives and may goes on until it has published what it counted.
pub(crate) fn counting_after(counting: Option<NodeId>, own: NodeId, living: &[NodeId]) -> Option<NodeId> {
    match counting {
        Some(id) if id == own || living.contains(&id) => Some(id),
        _ if living.is_empty() => Some(own),
        _ => None,
    }
}

impl Keystead {
    /// Counts as the other nodes will expect it from what was seen of each other.
    ///
    /// # Errors
    /// When the database does not answer: the next sign of life goes on with it.
    pub(crate) async fn count_as_met(&self, met: &Met, began: Micros) -> Result<(), Refused> {
        let own = Some(self.membership.id);
        let may_alone = met.counting == own;
        let until = freshness::until(began, self.membership.alone_max);
        // One that was passed over meanwhile goes on from the accounts: others may have counted since.
        let goes_on = met.counted == own && may_alone && met.is_alone;
        if goes_on && *self.shares.mode.read().await == Mode::Alone {
            self.sharing.set_alone_until(until);
            return Ok(());
        }
        if met.counting.is_none() && *self.shares.mode.read().await == Mode::Among {
            return Ok(());
        }
        // Held to the end: no share is taken while it is not certain who counts.
        let mut mode = self.shares.mode.write().await;
        if *mode == Mode::Alone {
            *mode = Mode::Waiting;
            self.surrender_rates();
        }
        self.publish_rates().await?;
        *mode = if may_alone && met.is_alone {
            self.resume_rates(until).await?;
            Mode::Alone
        } else if may_alone {
            self.stop_counting_alone().await?;
            tracing::info!("rate limits are counted together with other nodes from now on");
            Mode::Among
        } else if met.counting.is_some() {
            Mode::Waiting
        } else {
            Mode::Among
        };
        Ok(())
    }

    pub(crate) async fn stop_counting_alone(&self) -> Result<(), StoreError> {
        let id = self.membership.id;
        self.store
            .bookkeeping(move |ledger| {
                Box::pin(async move {
                    if ledger.lock_counting_node().await? == Some(id) {
                        ledger.set_counting_node(None).await?;
                    }
                    Ok(())
                })
            })
            .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: fn(u8) -> NodeId = |id| NodeId([id; 16]);

    #[test]
    fn one_counts_alone_only_while_nobody_else_lives() {
        // A first node, and a second one that comes.
        assert_eq!(counting_after(None, ID(1), &[]), Some(ID(1)));
        assert_eq!(counting_after(Some(ID(1)), ID(2), &[ID(1)]), Some(ID(1)));
        assert_eq!(counting_after(None, ID(2), &[ID(1)]), None);
        // It goes on until it has published, also when it sees the other first.
        assert_eq!(counting_after(Some(ID(1)), ID(1), &[ID(2)]), Some(ID(1)));
        // It has left, or is dead: those who live count together, one that is alone counts alone.
        assert_eq!(counting_after(Some(ID(1)), ID(2), &[ID(3)]), None);
        assert_eq!(counting_after(Some(ID(1)), ID(2), &[]), Some(ID(2)));
    }
}
