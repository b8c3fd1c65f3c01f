//! A graceful stop gives the store back what was leased and not spent.

use crate::Keystead;
use crate::accounts::credit;
use crate::refused::Refused;
use keystead_domain::meter::{Meter, MeterId};

/// Meters that unspent blocks are given back to in one transaction.
const RETURNED_AT_ONCE: usize = 200;

impl Keystead {
    /// Gives every unspent block back to the store.
    ///
    /// # Errors
    /// When the database does not answer; the blocks are forfeited then, never spent twice.
    pub async fn return_leases(&self) -> Result<(), Refused> {
        let now = self.clock.now();
        let mut unspent = Vec::new();
        let mut collect = |id, meter: &Meter| {
            let left = meter.take_out(now);
            if left.quota.is_some() || left.credits.is_some() {
                unspent.push((id, left));
            }
        };
        self.keyring.for_each(|entry| {
            collect(MeterId::Lineage(entry.lineage.id), &entry.lineage.meter);
            if let Some(uses) = entry.uses() {
                collect(MeterId::Uses(uses.id), &uses.meter);
            }
        });
        for principal in self.keyring.directory.principals() {
            if let Some(id) = principal.consumer_id() {
                collect(MeterId::Consumer(id), &principal.state.load().meter);
            }
        }
        // In one order on all nodes, and few at a time: two that stop at once must not wait for each
        // other's rows, nor one with many blocks for longer than a transaction may take.
        unspent.sort_unstable_by_key(|(id, _)| *id);
        let mut outcome = Ok(());
        while !unspent.is_empty() {
            let few = unspent.split_off(unspent.len().saturating_sub(RETURNED_AT_ONCE));
            let returned = self.store.bookkeeping(move |ledger| {
                Box::pin(async move {
                    for (id, left) in few {
                        credit(ledger, id, left).await?;
                    }
                    Ok::<_, Refused>(())
                })
            });
            outcome = outcome.and(returned.await);
        }
        outcome
    }
}
