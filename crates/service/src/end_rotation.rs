//! Ending a rotation before its time: the old key now, or the new one instead.

use crate::act::with_difference;
use crate::caller::Caller;
use crate::notices::Occasion;
use crate::refused::Refused;
use crate::rotate_key::{changes, is_open, shorten};
use crate::rotation_view::show;
use crate::{Keystead, management};
use keystead_api::KeyRotation;
use keystead_domain::ids::{KeyId, OrganizationId};
use keystead_domain::time::Micros;
use keystead_store::{Acted, Event, KeyRow, RotationRow, RotationStage, StoreError, Tx};
use std::sync::Arc;

/// Why a key was revoked that nobody revoked.
const CANCELLED: &str = "The rotation that made it was cancelled.";

impl Keystead {
    /// Ends the old key of a rotation now, by either of its keys.
    ///
    /// # Errors
    /// When the caller may not, or the key is in no rotation that is not over.
    pub async fn complete_rotation(
        self: &Arc<Self>,
        caller: &Caller,
        id: &str,
    ) -> Result<KeyRotation, Refused> {
        self.end_rotation(caller, id, RotationStage::Complete).await
    }

    /// Drops the new key of a rotation, by either of its keys: the old one has its own expiry again.
    ///
    /// # Errors
    /// When the caller may not, or the key is in no rotation that is not over.
    pub async fn cancel_rotation(
        self: &Arc<Self>,
        caller: &Caller,
        id: &str,
    ) -> Result<KeyRotation, Refused> {
        self.end_rotation(caller, id, RotationStage::Cancelled).await
    }

    async fn end_rotation(
        self: &Arc<Self>,
        caller: &Caller,
        id: &str,
        stage: RotationStage,
    ) -> Result<KeyRotation, Refused> {
        let (id, _) = self.locate_own_key(caller, id, &[management::KEYS_ROTATE]).await?;
        let (this, by) = (Arc::clone(self), caller.clone());
        self.act_once(caller, move |tx| {
            Box::pin(async move {
                let now = this.clock.now();
                let (rotation, old) = held_rotation(tx, by.organization(), id, now).await?;
                let action = match stage {
                    RotationStage::Cancelled => "key.rotation.cancel",
                    _ => "key.rotation.complete",
                };
                let event = this.key_event(&by, action, &old);
                match stage {
                    RotationStage::Cancelled => this.cancel(tx, &by, rotation, old, event, now).await,
                    _ => this.complete(tx, rotation, old, event, now).await,
                }
            })
        })
        .await
    }

    /// Completes a rotation: its old key ends now, unless it has ended.
    pub(crate) async fn complete(
        &self,
        tx: &mut Tx,
        rotation: RotationRow,
        mut old: KeyRow,
        event: Event,
        now: Micros,
    ) -> Result<Acted<KeyRotation>, Refused> {
        let end = now.min(old.expires_at.unwrap_or(Micros::FOREVER));
        let after = RotationRow {
            state: RotationStage::Complete,
            ends_at: Some(end),
            closed_at: Some(now),
            ..rotation.clone()
        };
        close(tx, &after, now).await?;
        shorten(tx, &mut old, Some(end), now).await?;
        let new = tx.key(after.organization_id, after.new_key_id).await?;
        self.notify(tx, Occasion::Complete, &after, new.as_ref().unwrap_or(&old)).await?;
        Ok(ended(vec![event], &rotation, &after, now))
    }

    async fn cancel(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        rotation: RotationRow,
        mut old: KeyRow,
        event: Event,
        now: Micros,
    ) -> Result<Acted<KeyRotation>, Refused> {
        let after = RotationRow {
            state: RotationStage::Cancelled,
            ends_at: None,
            closed_at: Some(now),
            ..rotation.clone()
        };
        close(tx, &after, now).await?;
        let mut events = vec![event];
        if let Some(mut new) = tx.key(after.organization_id, after.new_key_id).await? {
            // It ends with this: who asks what became of it finds the same.
            events.push(self.key_event(caller, "key.rotation.cancel", &new));
            if new.revoked_at.is_none() {
                (new.revoked_at, new.revoked_reason) = (Some(now), Some(CANCELLED.into()));
                shorten(tx, &mut new, None, now).await?;
            }
        }
        old.expires_at = rotation.old_expires_at;
        shorten(tx, &mut old, None, now).await?;
        self.notify(tx, Occasion::Cancelled, &after, &old).await?;
        Ok(ended(events, &rotation, &after, now))
    }
}

/// The same, with both keys locked. Whoever ended it, or began another, while this waited has won.
async fn held_rotation(
    tx: &mut Tx,
    organization: OrganizationId,
    id: KeyId,
    now: Micros,
) -> Result<(RotationRow, KeyRow), Refused> {
    let (seen, _) = open_rotation(tx, organization, id, now).await?;
    tx.lock_keys(organization, [seen.old_key_id, seen.new_key_id]).await?;
    let (held, old) = open_rotation(tx, organization, id, now).await?;
    if held.new_key_id == seen.new_key_id { Ok((held, old)) } else { Err(StoreError::Conflict.into()) }
}

/// The rotation that a key is in and that is not over, with its old key, which has not ended: a
/// cancellation revives nothing.
async fn open_rotation(
    tx: &mut Tx,
    organization: OrganizationId,
    id: KeyId,
    now: Micros,
) -> Result<(RotationRow, KeyRow), Refused> {
    let rotations = tx.rotations_of(organization, id).await?;
    if let Some(rotation) = rotations.into_iter().find(|rotation| is_open(rotation, now))
        && let Some(old) = tx.key(organization, rotation.old_key_id).await?
    {
        return Ok((rotation, old));
    }
    Err(Refused::conflict(
        "The key is in no rotation, or its old key has ended already.",
        "Look at `rotation` of the key; to rotate it, start with POST /v1/keys/{id}/rotate.",
    ))
}

/// Of two who end the same rotation, one wins.
async fn close(tx: &mut Tx, after: &RotationRow, now: Micros) -> Result<(), Refused> {
    if tx.close_rotation(after.new_key_id, after.state, after.ends_at, now).await? {
        Ok(())
    } else {
        Err(StoreError::Conflict.into())
    }
}

fn ended(events: Vec<Event>, before: &RotationRow, after: &RotationRow, now: Micros) -> Acted<KeyRotation> {
    let (was, shown) = (show(before, now), show(after, now));
    let events = events.into_iter().map(|event| with_difference(event, Some(&was), Some(&shown)));
    Acted { events: events.collect(), changes: changes(after), value: shown }
}
