//! Switching a key off and on: disable, enable, suspend, revoke. Each holds from the next request on.

use crate::act::with_difference;
use crate::caller::Caller;
use crate::refused::Refused;
use crate::update_key::Stored;
use crate::{Keystead, management};
use keystead_api::{Key, RevokeKey, SuspendKey};
use keystead_domain::ids::KeyId;
use keystead_domain::invalid::Invalid;
use keystead_domain::name;
use keystead_domain::time::Micros;
use keystead_store::{Acted, Change, ChangeKind, KeyRow, RotationStage, Tx};
use std::sync::Arc;

/// Which switch.
#[derive(Debug, Clone)]
pub(crate) enum Turn {
    Off,
    On,
    OffUntil(Micros),
    Revoke(String),
}

impl Turn {
    const fn action(&self) -> &'static str {
        match self {
            Self::Off => "key.disable",
            Self::On => "key.enable",
            Self::OffUntil(_) => "key.suspend",
            Self::Revoke(_) => "key.revoke",
        }
    }

    /// Sets the row; `false` when it is so already.
    fn set(self, row: &mut KeyRow, now: Micros) -> Result<bool, Refused> {
        match (self, row.revoked_at) {
            (Self::Revoke(_), Some(_)) => Ok(false),
            (_, Some(_)) => {
                Err(Refused::conflict("The key is revoked, which is for good.", "Issue a new key."))
            }
            (Self::Off, None) => Ok(!std::mem::replace(&mut row.disabled, true)),
            (Self::On, None) => {
                let changes = row.disabled || row.suspended_until.is_some();
                (row.disabled, row.suspended_until) = (false, None);
                Ok(changes)
            }
            (Self::OffUntil(until), None) => Ok(row.suspended_until.replace(until) != Some(until)),
            (Self::Revoke(reason), None) => {
                (row.revoked_at, row.revoked_reason) = (Some(now), Some(reason));
                Ok(true)
            }
        }
    }
}

impl Keystead {
    /// Switches a key off until it is enabled.
    ///
    /// # Errors
    /// When the caller may not, or the key is revoked.
    pub async fn disable_key(
        self: &Arc<Self>,
        caller: &Caller,
        id: &str,
        if_match: Option<i64>,
    ) -> Result<Key, Refused> {
        self.turn(caller, id, Turn::Off, if_match).await
    }

    /// Switches a key on, and ends its suspension.
    ///
    /// # Errors
    /// When the caller may not, or the key is revoked.
    pub async fn enable_key(
        self: &Arc<Self>,
        caller: &Caller,
        id: &str,
        if_match: Option<i64>,
    ) -> Result<Key, Refused> {
        self.turn(caller, id, Turn::On, if_match).await
    }

    /// Switches a key off until an instant.
    ///
    /// # Errors
    /// When the caller may not, the instant is not in the future, or the key is revoked.
    pub async fn suspend_key(
        self: &Arc<Self>,
        caller: &Caller,
        id: &str,
        input: SuspendKey,
        if_match: Option<i64>,
    ) -> Result<Key, Refused> {
        let until = Micros::from(input.until);
        if until <= self.clock.now() {
            return Err(Invalid::new(
                "/until",
                "This is in the past.",
                "Send an instant in the future, or disable the key.",
            )
            .into());
        }
        self.turn(caller, id, Turn::OffUntil(until), if_match).await
    }

    /// Ends a key for good. It stays visible among the inactive ones and cannot come back.
    ///
    /// # Errors
    /// When the caller may not.
    pub async fn revoke_key(
        self: &Arc<Self>,
        caller: &Caller,
        id: &str,
        input: RevokeKey,
        if_match: Option<i64>,
    ) -> Result<Key, Refused> {
        name::reason("/reason", &input.reason)?;
        self.turn(caller, id, Turn::Revoke(input.reason), if_match).await
    }

    async fn turn(
        self: &Arc<Self>,
        caller: &Caller,
        id: &str,
        turn: Turn,
        if_match: Option<i64>,
    ) -> Result<Key, Refused> {
        let (id, _) = match turn {
            // Whoever switched it off had a reason: its owner alone cannot overrule that.
            Turn::On => self.locate_key(caller, id, &[management::KEYS_UPDATE]).await?,
            _ => self.locate_own_key(caller, id, &[management::KEYS_REVOKE]).await?,
        };
        let (this, by) = (Arc::clone(self), caller.clone());
        self.act_once(caller, move |tx| {
            Box::pin(async move { this.switch(tx, &by, id, turn, if_match).await })
        })
        .await
    }

    pub(crate) async fn switch(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        id: KeyId,
        turn: Turn,
        if_match: Option<i64>,
    ) -> Result<Acted<Key>, Refused> {
        tx.lock_key(caller.organization(), id).await?;
        let Stored { mut row, shown, .. } = self.stored_key(tx, caller, id, if_match).await?;
        let (action, now, expected) = (turn.action(), self.clock.now(), row.version);
        let mut successors = Vec::new();
        let after = if turn.set(&mut row, now)? {
            (row.version, row.updated_at) = (expected + 1, now);
            if !tx.update_key(&row, expected).await? {
                return Err(Refused::Changed { current: expected + 1 });
            }
            if row.revoked_at.is_some() {
                successors = complete_rotation_of(tx, &row, now).await?;
            }
            self.stored_key(tx, caller, id, None).await?.shown
        } else {
            shown.clone()
        };
        let event = with_difference(self.key_event(caller, action, &row), Some(&shown), Some(&after));
        Ok(Acted {
            value: after,
            events: vec![event],
            changes: std::iter::once(id)
                .chain(successors)
                .map(|id| Change::new(row.organization_id, ChangeKind::Key, id.as_bytes()))
                .collect(),
        })
    }
}

/// A key that is revoked while another takes over from it ends that rotation: nobody waits for its
/// end any more. Which keys took over: they wait no longer for their first use.
async fn complete_rotation_of(tx: &mut Tx, row: &KeyRow, now: Micros) -> Result<Vec<KeyId>, Refused> {
    let mut successors = Vec::new();
    for rotation in tx.rotations_of(row.organization_id, row.id).await? {
        if rotation.old_key_id == row.id && rotation.state == RotationStage::Draining {
            tx.close_rotation(rotation.new_key_id, RotationStage::Complete, Some(now), now).await?;
            successors.push(rotation.new_key_id);
        }
    }
    Ok(successors)
}
