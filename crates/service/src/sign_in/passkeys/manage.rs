//! One's own passkeys: seen, named and deleted.

use super::add::on_record;
use crate::caller::{Caller, SessionProof};
use crate::present::{json, to_json};
use crate::refused::Refused;
use crate::{Keystead, versions};
use keystead_api::{Page, Passkey, UpdatePasskey};
use keystead_domain::ids::PasskeyId;
use keystead_domain::name;
use keystead_domain::time::Micros;
use keystead_store::{Acted, PasskeyRow, StoreError};
use std::sync::Arc;

/// As it is shown.
pub(super) fn present(row: &PasskeyRow) -> Result<Passkey, Refused> {
    Ok(Passkey {
        id: row.id.to_string(),
        name: row.name.clone(),
        backed_up: row.backed_up,
        transports: json(&row.transports)?,
        created_at: row.created_at.to_timestamp(),
        last_used_at: row.last_used_at.map(Micros::to_timestamp),
        version: row.version,
    })
}

impl Keystead {
    /// The passkeys of the caller's account, newest first.
    ///
    /// # Errors
    /// When the caller has no session.
    pub async fn list_passkeys(&self, caller: &Caller) -> Result<Page<Passkey>, Refused> {
        let own = caller.signed_in()?;
        let rows = self.store.read().await?.passkeys(own.account).await?;
        let items = rows.iter().map(present).collect::<Result<_, _>>()?;
        Ok(Page { items, next_cursor: None })
    }

    async fn own_passkey(&self, own: &SessionProof, id: &str) -> Result<PasskeyRow, Refused> {
        let none = || Refused::not_found("passkey");
        let id: PasskeyId = id.parse().map_err(|_| none())?;
        let rows = self.store.read().await?.passkeys(own.account).await?;
        rows.into_iter().find(|row| row.id == id).ok_or_else(none)
    }

    /// Gives a passkey of the caller's account another name.
    ///
    /// # Errors
    /// When the caller has no session, the account no such passkey, or its version is another.
    pub async fn update_passkey(
        self: &Arc<Self>,
        caller: &Caller,
        id: &str,
        input: UpdatePasskey,
        if_match: Option<i64>,
    ) -> Result<Passkey, Refused> {
        let own = caller.signed_in()?.clone();
        if let Some(name) = &input.name {
            name::display_name("/name", name)?;
        }
        let before = self.own_passkey(&own, id).await?;
        versions::expect(if_match, before.version)?;
        let Some(name) = input.name else { return present(&before) };
        let row = PasskeyRow { name, version: before.version + 1, ..before.clone() };
        let account = self.own_account(&own).await?;
        let mut event = self.account_event(caller, &account, "account.update_passkey");
        event.before_body = Some(to_json(&on_record(&before))?);
        event.after_body = Some(to_json(&on_record(&row))?);
        self.act(move |tx| {
            Box::pin(async move {
                if !tx.rename_passkey(&before, &row.name).await? {
                    return Err(StoreError::Conflict.into());
                }
                Ok(Acted { value: present(&row)?, events: vec![event], changes: Vec::new() })
            })
        })
        .await
    }

    /// Deletes a passkey of the caller's account, and ends the account's other sessions: who has the device may have
    /// one. With the last second factor go the recovery codes.
    ///
    /// # Errors
    /// When the caller has no session, has not proved the second factor a moment ago, or has no such passkey.
    pub async fn delete_passkey(
        self: &Arc<Self>,
        caller: &Caller,
        id: &str,
        if_match: Option<i64>,
    ) -> Result<(), Refused> {
        let own = caller.signed_in()?.clone();
        let row = self.own_passkey(&own, id).await?;
        self.stepped_up(caller)?;
        versions::expect(if_match, row.version)?;
        let account = self.own_account(&own).await?;
        let mut event = self.account_event(caller, &account, "account.delete_passkey");
        event.before_body = Some(to_json(&on_record(&row))?);
        let (this, organization, now) = (Arc::clone(self), caller.organization(), self.clock.now());
        self.act(move |tx| {
            Box::pin(async move {
                if !tx.hold_account(&account).await? || !tx.delete_passkey(account.id, row.id).await? {
                    return Err(StoreError::Conflict.into());
                }
                tx.end_sessions_of_account(account.id, Some(own.id), now).await?;
                this.end_codes_of_none(tx, account.id).await?;
                this.tell_of_passkey(tx, (organization, &account), &row, false).await?;
                Ok(Acted { value: (), events: vec![event], changes: Vec::new() })
            })
        })
        .await?;
        self.post.hurry();
        Ok(())
    }
}
