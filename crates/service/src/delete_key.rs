//! Purging a key: only after it was revoked. What was done with it stays in the audit.

use crate::act::with_difference;
use crate::caller::Caller;
use crate::refused::Refused;
use crate::update_key::Stored;
use crate::{Keystead, management};
use keystead_store::{Acted, Change, ChangeKind};
use std::sync::Arc;

impl Keystead {
    /// Purges a revoked key.
    ///
    /// # Errors
    /// When the caller may not, or the key is not revoked.
    pub async fn delete_key(
        self: &Arc<Self>,
        caller: &Caller,
        id: &str,
        if_match: Option<i64>,
    ) -> Result<(), Refused> {
        let (id, _) = self.locate_key(caller, id, &[management::KEYS_DELETE]).await?;
        let (this, caller) = (Arc::clone(self), caller.clone());
        self.act(move |tx| {
            Box::pin(async move {
                tx.lock_key(caller.organization(), id).await?;
                let Stored { row, shown, .. } = this.stored_key(tx, &caller, id, if_match).await?;
                if row.revoked_at.is_none() {
                    return Err(Refused::conflict(
                        "Only a revoked key can be deleted.",
                        "Revoke it first: that stops it at once.",
                    ));
                }
                let rotations = tx.rotations_of(row.organization_id, id).await?;
                tx.delete_key(row.organization_id, id).await?;
                let event = with_difference(this.key_event(&caller, "key.delete", &row), Some(&shown), None);
                // Its rotations go with it: the other keys are no part of them any more.
                let others = rotations.iter().flat_map(|rotation| [rotation.old_key_id, rotation.new_key_id]);
                let ids = std::iter::once(id).chain(others.filter(|other| *other != id));
                let changes =
                    ids.map(|id| Change::new(row.organization_id, ChangeKind::Key, id.as_bytes())).collect();
                Ok(Acted { value: (), events: vec![event], changes })
            })
        })
        .await
    }
}
