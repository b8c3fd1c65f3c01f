//! Replacing the keys that sign identities at once: one of them may be in wrong hands.

use super::keys::{JOB, new, starts};
use crate::act::{Target, with_difference};
use crate::caller::Caller;
use crate::refused::Refused;
use crate::replay::Answer;
use crate::{Keystead, management};
use keystead_api::{IdentityKey, IdentityKeyState, Page};
use keystead_domain::identity::signing;
use keystead_domain::time::Micros;
use keystead_store::{Acted, Change, ChangeKind, IdentityKeyRow};
use serde_json::json;
use std::cmp::Ordering;
use std::sync::Arc;

impl Answer for IdentityKey {}

impl Keystead {
    /// The keys whose public halves are published, in the order in which they sign, all in one page. For the operator.
    ///
    /// # Errors
    /// When the caller is not the operator, or the database does not answer.
    pub async fn list_identity_keys(self: &Arc<Self>, caller: &Caller) -> Result<Page<IdentityKey>, Refused> {
        self.authorise(caller, management::INSTALLATION_ADMIN, None).await?;
        let mut rows = self.store.read().await?.identity_keys().await?;
        let keys = self.identities.keys.load();
        // Others do not open here: they sign nothing, whatever the database says.
        rows.retain(|row| keys.has(row.id));
        let current = signing(&starts(&rows), self.clock.now()).unwrap_or_default();
        let items = rows.iter().enumerate().map(|(at, row)| {
            describe(
                row,
                match at.cmp(&current) {
                    Ordering::Less => IdentityKeyState::Earlier,
                    Ordering::Equal => IdentityKeyState::Current,
                    Ordering::Greater => IdentityKeyState::Next,
                },
            )
        });
        Ok(Page { items: items.collect(), next_cursor: None })
    }

    /// Makes a key that signs from now on, and forgets all others: what they have signed is believed by nobody who
    /// fetches the published keys after this. For the operator.
    ///
    /// # Errors
    /// When the caller is not the operator, or the database does not answer.
    pub async fn replace_identity_keys(self: &Arc<Self>, caller: &Caller) -> Result<IdentityKey, Refused> {
        self.authorise(caller, management::INSTALLATION_ADMIN, None).await?;
        let (this, of) = (Arc::clone(self), caller.clone());
        self.act_once(caller, move |tx| {
            Box::pin(async move {
                tx.claim_job(JOB, Micros(0), Micros(0)).await?;
                let before = tx.identity_keys().await?;
                let mut gone: Vec<_> = before.iter().map(|row| row.id).collect();
                // In the order in which they are sealed anew: neither waits for the other for ever.
                gone.sort_unstable();
                for id in gone {
                    tx.delete_identity_key(id).await?;
                }
                let now = this.clock.now();
                let row = new(&this.root.keys(), &this.entropy, now, now)?;
                tx.insert_identity_key(&row).await?;
                let change = Change::new(of.organization(), ChangeKind::IdentityKeys, row.id.0);
                let value = describe(&row, IdentityKeyState::Current);
                let id = value.id.clone();
                let target = Target { kind: "identity_key", id, name: "Identity keys", project: None };
                let event = this.event(&of, "identity_keys.replace", target);
                let event = with_difference(event, Some(&names(&before)), Some(&names(&[row])));
                Ok(Acted { value, events: vec![event], changes: vec![change] })
            })
        })
        .await
    }
}

fn names(rows: &[IdentityKeyRow]) -> serde_json::Value {
    json!({ "keys": rows.iter().map(|row| row.id.to_string()).collect::<Vec<_>>() })
}

fn describe(row: &IdentityKeyRow, state: IdentityKeyState) -> IdentityKey {
    IdentityKey {
        id: row.id.to_string(),
        state,
        signs_from: row.signs_from.to_timestamp(),
        created_at: row.created_at.to_timestamp(),
    }
}
