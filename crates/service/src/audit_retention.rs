//! Retention of the audit: records that are older than it goes back are deleted, with their salts; their
//! leaves stay, so that the others can be verified. That it was done is recorded.

use crate::Keystead;
use crate::act::Target;
use crate::present::to_json;
use crate::refused::Refused;
use keystead_domain::audit::deletion::{self, Deletion};
use keystead_domain::ids::{AuditId, OrganizationId};
use keystead_domain::time::Micros;
use keystead_store::{Acted, AuditTreeRow, StoreError};
use std::sync::Arc;

/// Records deleted in one transaction: acts wait behind at most so many.
const CHUNK: u32 = 256;

impl Keystead {
    /// Deletes records that have been kept for long enough.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn delete_old_audit(self: &Arc<Self>) -> Result<(), Refused> {
        let Some(retention) = self.audit.settings.retention else { return Ok(()) };
        let trees = self.store.read().await?.audit_trees().await?;
        let kept = i64::try_from(retention.as_micros()).unwrap_or(i64::MAX);
        let now = self.newest_of(&trees).await?.min(self.clock.now());
        let before = now.plus(kept.saturating_neg());
        for tree in trees {
            let organization = tree.organization_id;
            let to = self.store.read().await?.audit_kept_from(organization, before, now).await?;
            while self.delete_audit_before(organization, to).await? {}
        }
        Ok(())
    }

    /// When the installation's newest record was made: a clock that is far ahead does not make all of them old.
    async fn newest_of(&self, trees: &[AuditTreeRow]) -> Result<Micros, Refused> {
        let (mut reader, mut newest) = (self.store.read().await?, Micros(0));
        for tree in trees {
            newest = newest.max(reader.audit_newest(tree.organization_id).await?);
        }
        Ok(newest)
    }

    /// Whether there may be more.
    async fn delete_audit_before(
        self: &Arc<Self>,
        organization: OrganizationId,
        to: i64,
    ) -> Result<bool, Refused> {
        if self.store.read().await?.audit_before(organization, to, 1).await?.is_empty() {
            return Ok(false);
        }
        let this = Arc::clone(self);
        let deleted = self
            .act(move |tx| {
                Box::pin(async move {
                    // Whoever comes second finds what the first has left.
                    tx.lock_audit_tree(organization).await?;
                    let old = tx.audit_before(organization, to, CHUNK).await?;
                    if old.is_empty() {
                        return Err(StoreError::Conflict.into());
                    }
                    for (id, _) in &old {
                        tx.delete_audit(*id).await?;
                    }
                    let target =
                        Target { kind: "audit", id: organization.to_string(), name: "audit", project: None };
                    let mut event = this.own_event(organization, deletion::ACTION, target);
                    event.before_body = Some(to_json(&said(&old)?)?);
                    Ok(Acted { value: old.len(), events: vec![event], changes: Vec::new() })
                })
            })
            .await;
        match deleted {
            Ok(count) => Ok(count >= CHUNK as usize),
            Err(Refused::Conflict { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// What the record says of those that are deleted with it: who verifies the audit demands it.
fn said(old: &[(AuditId, i64)]) -> Result<Deletion, Refused> {
    let before = old.last().and_then(|(_, place)| u64::try_from(place.checked_add(1)?).ok());
    let before_position = before.ok_or(StoreError::Corrupt("a place in the audit"))?;
    Ok(Deletion { deleted: u64::try_from(old.len()).unwrap_or(u64::MAX), before_position })
}
