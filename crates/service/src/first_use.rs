//! What the use of a key in a rotation sets off, beside the request: the first use of a new key
//! begins the old one's overlap; use of a key after its end may revoke the lineage.

use crate::Keystead;
use crate::act::with_difference;
use crate::refused::Refused;
use crate::rotate_key::{changes, shorten};
use crate::rotation_view::show;
use keystead_api::Code;
use keystead_domain::entry::Entry;
use keystead_domain::ids::{KeyId, OrganizationId};
use keystead_domain::rotation::{Part, shortened};
use keystead_domain::time::Micros;
use keystead_store::{Acted, RotationRow, RotationStage, Tx};
use std::sync::Arc;

/// Tries, when others change the same keys.
const TRIES: u32 = 4;

impl Keystead {
    /// Looks whether a verdict on a key in a rotation sets something off, which is then done beside
    /// the request. What fails, or is lost in a crash, is done at the next use.
    pub(crate) fn note_rotation(self: &Arc<Self>, entry: &Entry, code: Code, now: Micros) {
        let Some(rotation) = entry.rotation() else {
            return;
        };
        let due = match &rotation.part {
            Part::New { first_use } => code == Code::Valid && first_use.take(),
            Part::Old { revokes_on_reuse, .. } => {
                code == Code::Expired && entry.is_rotated_away(now) && revokes_on_reuse.take()
            }
        };
        if due {
            let (this, entry) = (Arc::clone(self), entry.clone());
            self.tasks.spawn(async move { this.follow_up(&entry, now).await });
        }
    }

    async fn follow_up(self: Arc<Self>, entry: &Entry, now: Micros) {
        let organization = entry.place.project.organization;
        let Some(rotation) = entry.rotation() else {
            return;
        };
        for tries_left in (0..TRIES).rev() {
            let (done, once) = match &rotation.part {
                Part::New { first_use } => (self.begin_overlap(organization, entry.id, now).await, first_use),
                Part::Old { revokes_on_reuse, .. } => {
                    (self.revoke_lineage(entry, rotation.other).await, revokes_on_reuse)
                }
            };
            match done {
                Ok(()) => return,
                // Somebody edited one of the keys at the same moment.
                Err(Refused::Conflict { .. }) if tries_left > 0 => {}
                Err(error) => {
                    tracing::warn!(%error, key = %entry.id, "what a key's use sets off was not written; its next use tries again");
                    return once.again();
                }
            }
        }
    }

    /// Writes the old key's end: so long after the new one's first use.
    async fn begin_overlap(
        self: &Arc<Self>,
        organization: OrganizationId,
        new: KeyId,
        now: Micros,
    ) -> Result<(), Refused> {
        let waiting = |row: &RotationRow| {
            row.new_key_id == new && row.state == RotationStage::Draining && row.first_used_at.is_none()
        };
        let known = self.store.read().await?.rotations_of(organization, new).await?;
        let Some(before) = known.into_iter().find(waiting) else {
            // Another node was faster, or somebody ended it.
            return Ok(());
        };
        let this = Arc::clone(self);
        self.act(move |tx| Box::pin(async move { this.overlap(tx, before, now).await })).await
    }

    async fn overlap(&self, tx: &mut Tx, before: RotationRow, now: Micros) -> Result<Acted<()>, Refused> {
        let seconds = crate::accounts::unsigned(before.overlap_seconds.unwrap_or(0));
        let end = shortened(before.old_expires_at, seconds, now);
        let gone = || Refused::conflict("The rotation is over.", "Nothing is left to do.");
        tx.lock_keys(before.organization_id, [before.old_key_id, before.new_key_id]).await?;
        if !tx.note_first_use(before.new_key_id, now, end).await? {
            return Err(gone());
        }
        let old = tx.key(before.organization_id, before.old_key_id).await?;
        let mut old = old.ok_or_else(gone)?;
        shorten(tx, &mut old, Some(end), now).await?;
        let after = RotationRow { first_used_at: Some(now), ends_at: Some(end), ..before.clone() };
        let event = self.own_key_event("key.rotation.first_use", &old);
        let event = with_difference(event, Some(&show(&before, now)), Some(&show(&after, now)));
        Ok(Acted { value: (), events: vec![event], changes: changes(&after) })
    }
}
