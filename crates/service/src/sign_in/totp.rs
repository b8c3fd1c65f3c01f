//! One-time codes as a second factor: begun with a secret that is shown once, and counting from the first code
//! that is right.

use crate::Keystead;
use crate::act::Target;
use crate::caller::Caller;
use crate::refused::Refused;
use keystead_api::{OneTimeCode, ProvePassword, RecoveryCodes, TotpSecret};
use keystead_domain::sign_in::totp;
use keystead_store::{AccountRow, Acted, Event, SecondFactorRow, second_factor_place};
use std::sync::Arc;
use zeroize::Zeroizing;

impl Keystead {
    /// Begins a second factor for the caller's account.
    ///
    /// # Errors
    /// When the caller has no session, the password is wrong, or a second factor counts already.
    pub async fn begin_totp(
        self: &Arc<Self>,
        caller: &Caller,
        input: &ProvePassword,
    ) -> Result<TotpSecret, Refused> {
        let own = caller.signed_in()?.clone();
        // Where a passkey is the second factor, the password alone adds no other.
        self.stepped_up_if_can(&own).await?;
        let account = self.prove_password(caller, &own, "/password", &input.password).await?;
        let mut secret = Zeroizing::new([0; totp::SECRET_LEN]);
        self.entropy.with(|rng| rng.fill_bytes(secret.as_mut()));
        let shown = TotpSecret {
            secret: totp::base32(secret.as_ref()).to_string(),
            uri: totp::uri(secret.as_ref(), &account.email).to_string(),
        };
        let event = self.account_event(caller, &account, "account.begin_totp");
        let (this, now) = (Arc::clone(self), self.clock.now());
        self.act(move |tx| {
            Box::pin(async move {
                let sealed = this.seal_at(tx, &second_factor_place(account.id), secret.as_ref()).await?;
                let row = SecondFactorRow {
                    account_id: account.id,
                    sealed,
                    created_at: now,
                    confirmed_at: None,
                    last_step: 0,
                };
                if !tx.begin_second_factor(&row).await? {
                    return Err(Refused::conflict(
                        "The account has a second factor.",
                        "Remove it first: DELETE /v1/account/totp (keystead account totp remove).",
                    ));
                }
                Ok(Acted { value: shown, events: vec![event], changes: Vec::new() })
            })
        })
        .await
    }

    /// Has the second factor that was begun count, proved by its first code; gives recovery codes.
    ///
    /// # Errors
    /// When the caller has no session, nothing was begun, or the code is wrong.
    pub async fn confirm_totp(
        self: &Arc<Self>,
        caller: &Caller,
        input: &OneTimeCode,
    ) -> Result<RecoveryCodes, Refused> {
        let own = caller.signed_in()?.clone();
        let account = self.own_account(&own).await?;
        let row = self.store.read().await?.second_factor(own.account).await?;
        let row = row.filter(|row| row.confirmed_at.is_none()).ok_or_else(|| {
            Refused::conflict("No second factor was begun.", "Begin one with POST /v1/account/totp.")
        })?;
        let one = self.begin_try(&account.email, Some(&account), caller.origin.ip).await?;
        let now = self.clock.now();
        let secret = self.open_second_factor(&row)?;
        let step = totp::step_of(&secret, &input.code, row.last_step, now).ok_or(Refused::SignInFailed)?;
        self.was_right(one).await;
        let (codes, digests) = self.new_recovery_codes(own.account)?;
        let event = self.account_event(caller, &account, "account.confirm_totp");
        self.act(move |tx| {
            Box::pin(async move {
                if !tx.confirm_second_factor(&row, step, now).await? {
                    return Err(keystead_store::StoreError::Conflict.into());
                }
                tx.replace_recovery_codes(own.account, &digests).await?;
                tx.step_up_session(own.id, now).await?;
                Ok(Acted { value: codes, events: vec![event], changes: Vec::new() })
            })
        })
        .await
    }

    /// Removes the caller's one-time codes, and the recovery codes where no passkey is left either.
    ///
    /// # Errors
    /// When the caller has no session, has to prove the second factor first, or has none.
    pub async fn remove_totp(self: &Arc<Self>, caller: &Caller) -> Result<(), Refused> {
        let own = caller.signed_in()?.clone();
        self.stepped_up_if_can(&own).await?;
        let account = self.own_account(&own).await?;
        let event = self.account_event(caller, &account, "account.remove_totp");
        let this = Arc::clone(self);
        self.act(move |tx| {
            Box::pin(async move {
                if !tx.remove_second_factor(own.account).await? {
                    return Err(Refused::not_found("second factor"));
                }
                this.end_codes_of_none(tx, own.account).await?;
                Ok(Acted { value: (), events: vec![event], changes: Vec::new() })
            })
        })
        .await
    }

    pub(super) fn account_event(&self, caller: &Caller, account: &AccountRow, action: &'static str) -> Event {
        let target =
            Target { kind: "account", id: account.id.to_string(), name: &account.email, project: None };
        self.event(caller, action, target)
    }
}
