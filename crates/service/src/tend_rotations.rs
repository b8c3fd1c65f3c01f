//! What time does to rotations: an old key's end is noted and told, and that a key is due is told
//! before it is.

use crate::Keystead;
use crate::due_keys::{announced, due};
use crate::refused::Refused;
use crate::rotate_key::is_open;
use keystead_domain::time::SECOND;
use keystead_store::{RotationPlanRow, RotationRow, StoreError};
use std::sync::Arc;

/// How much is read at once; acts wait behind at most so many notices.
const CHUNK: u32 = 256;
/// How long notices are kept.
const NOTICES_KEPT_MICROS: i64 = 90 * 86_400 * SECOND;

impl Keystead {
    /// Notes what time has ended, tells what is due, and forgets old notices.
    ///
    /// # Errors
    /// When the database cannot answer; what was done by then stays done.
    pub async fn tend_rotations(self: &Arc<Self>) -> Result<(), Refused> {
        loop {
            let ended = self.store.read().await?.ended_rotations(self.clock.now(), CHUNK).await?;
            let is_last = ended.len() < CHUNK as usize;
            let mut noted = false;
            for rotation in ended {
                noted |= self.note_end(rotation).await?;
            }
            // What could not be noted now would come again at once.
            if is_last || !noted {
                break;
            }
        }
        let plans = self.store.read().await?.rotation_plans_in_force().await?;
        for plan in plans {
            self.tell_due(plan).await?;
        }
        let before = self.clock.now().plus(-NOTICES_KEPT_MICROS);
        self.store
            .bookkeeping(move |ledger| {
                Box::pin(async move { Ok::<_, Refused>(ledger.trim_notices(before).await?) })
            })
            .await?;
        Ok(())
    }

    /// Notes that an old key's time is over; the key itself has ended without it.
    /// `false` when that is not to be done now.
    async fn note_end(self: &Arc<Self>, rotation: RotationRow) -> Result<bool, Refused> {
        let this = Arc::clone(self);
        let noted = self
            .act(move |tx| {
                Box::pin(async move {
                    let now = this.clock.now();
                    tx.lock_keys(rotation.organization_id, [rotation.old_key_id, rotation.new_key_id])
                        .await?;
                    let old = tx.key(rotation.organization_id, rotation.old_key_id).await?;
                    // The clock may have stepped back since.
                    let old = old.filter(|_| !is_open(&rotation, now)).ok_or(StoreError::Conflict)?;
                    let event = this.own_key_event("key.rotation.complete", &old);
                    this.complete(tx, rotation, old, event, now).await
                })
            })
            .await;
        match noted {
            // Another node was faster, or somebody cancelled, edited or purged at this moment.
            Err(Refused::Conflict { .. }) => Ok(false),
            Ok(_) => Ok(true),
            Err(refused) => Err(refused),
        }
    }

    /// Tells, once for each key, that it is due or will be.
    async fn tell_due(self: &Arc<Self>, plan: RotationPlanRow) -> Result<(), Refused> {
        let plan = Arc::new(plan);
        loop {
            let now = self.clock.now();
            let Some(made_by) = announced(&plan, now) else {
                return Ok(());
            };
            let keys = self.store.read().await?.keys_untold(plan.project_id, made_by, now, CHUNK).await?;
            let is_last = keys.len() < CHUNK as usize;
            let (this, plan) = (Arc::clone(self), Arc::clone(&plan));
            let told = self
                .store
                .bookkeeping(move |ledger| {
                    Box::pin(async move {
                        let (mut told, days) = (false, plan.max_age_days.unwrap_or(0));
                        for key in keys {
                            told |= this.notify_due(ledger, &key, due(&plan, key.created_at), days).await?;
                        }
                        Ok::<_, Refused>(told)
                    })
                })
                .await?;
            if is_last || !told {
                return Ok(());
            }
        }
    }
}
