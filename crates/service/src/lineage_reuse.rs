//! Revoking a lineage because a key of it was used after it was rotated away. Only where somebody
//! chose so: the holder of an old key may just have forgotten it somewhere (LESSONS 13).

use crate::Keystead;
use crate::act::with_difference;
use crate::notices::Occasion;
use crate::refused::Refused;
use crate::rotate_key::shorten;
use keystead_domain::entry::Entry;
use keystead_domain::ids::KeyId;
use keystead_store::{Acted, Change, ChangeKind, Event, KeyRow, RotationRow, Tx};
use std::sync::Arc;

/// The most keys of one lineage that are revoked one by one.
const KEYS_MAX: u32 = 1_000;

impl Keystead {
    pub(crate) async fn revoke_lineage(
        self: &Arc<Self>,
        used: &Entry,
        successor: KeyId,
    ) -> Result<(), Refused> {
        let (organization, lineage) = (used.place.project.organization, used.lineage.id);
        let mut reader = self.store.read().await?;
        let rotations = reader.rotations_of(organization, used.id).await?;
        let rotation = rotations.into_iter().find(|row| row.new_key_id == successor);
        let living = reader.living_of_lineage(organization, lineage, KEYS_MAX).await?;
        drop(reader);
        let Some(rotation) = rotation.filter(|_| !living.is_empty()) else {
            return Ok(());
        };
        let (this, reason) = (Arc::clone(self), format!("{} was used after it was rotated away.", used.id));
        self.act(move |tx| Box::pin(async move { this.revoke_all(tx, &rotation, living, &reason).await }))
            .await
    }

    async fn revoke_all(
        &self,
        tx: &mut Tx,
        rotation: &RotationRow,
        living: Vec<KeyRow>,
        reason: &str,
    ) -> Result<Acted<()>, Refused> {
        let now = self.clock.now();
        let (mut events, mut changes): (Vec<Event>, Vec<Change>) = Default::default();
        for mut row in living {
            (row.revoked_at, row.revoked_reason) = (Some(now), Some(reason.to_owned()));
            shorten(tx, &mut row, None, now).await?;
            let event = self.own_key_event("key.revoke", &row);
            let after = serde_json::json!({"revocation": {"at": now.to_timestamp(), "reason": reason}});
            events.push(with_difference(event, None, Some(&after)));
            changes.push(Change::new(row.organization_id, ChangeKind::Key, row.id.as_bytes()));
            if row.id == rotation.new_key_id {
                self.notify(tx, Occasion::Reused, rotation, &row).await?;
            }
        }
        Ok(Acted { value: (), events, changes })
    }
}
