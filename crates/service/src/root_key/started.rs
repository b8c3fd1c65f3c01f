//! A start with another root key than the one that sealed last: an exchange by configuration, or one
//! that a crash cut short. It is on record like any other.

use super::reseal::take_peppers;
use super::rotate::{PEPPERS_MAX, exchange};
use crate::Keystead;
use crate::act::Target;
use crate::refused::Refused;
use keystead_domain::seal::RootKeyId;
use keystead_store::Acted;
use std::sync::Arc;

impl Keystead {
    /// Takes the root key that the source gives, when it is not the one that sealed last.
    ///
    /// # Errors
    /// When the database does not answer, or another node takes another key at the same moment.
    pub(crate) async fn take_root_key(self: &Arc<Self>) -> Result<(), Refused> {
        let keys = self.root.keys();
        let after = keys.current().id();
        let Some(before) = self.sealing().await?.filter(|before| *before != after) else { return Ok(()) };
        let organizations = self.store.read().await?.all_organizations().await?;
        let operator = organizations.into_iter().min_by_key(|row| (row.created_at, row.id));
        let operator = operator.ok_or_else(|| Refused::Internal("there is no organization".into()))?.id;
        let this = Arc::clone(self);
        let taken = self.act(move |tx| {
            Box::pin(async move {
                take_peppers(tx, &keys, &this.entropy, PEPPERS_MAX).await?;
                let (id, name) = (after.to_string(), "Root key");
                let target = Target { kind: "root_key", id, name, project: None };
                let event = this.own_event(operator, "root_key.rotate", target);
                Ok(Acted { value: (), events: vec![exchange(event, before, after)], changes: Vec::new() })
            })
        });
        match taken.await {
            // Another node that starts with the same key was first.
            Err(_) if self.sealing().await? == Some(after) => Ok(()),
            other => other,
        }
    }

    /// The root key that seals, as the database has it.
    async fn sealing(&self) -> Result<Option<RootKeyId>, Refused> {
        let label = self.store.read().await?.sealing_label().await?;
        Ok(label.as_deref().and_then(RootKeyId::of))
    }
}
