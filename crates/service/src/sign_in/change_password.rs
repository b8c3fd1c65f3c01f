//! Changing one's own password: proved by the old one, and it ends every other session.

use crate::Keystead;
use crate::act::Target;
use crate::caller::{Caller, SessionProof};
use crate::refused::Refused;
use keystead_api::ChangePassword;
use keystead_domain::sign_in::password::Password;
use keystead_store::{AccountRow, Acted};
use std::sync::Arc;

impl Keystead {
    /// Gives the caller's account another password.
    ///
    /// # Errors
    /// When the caller has no session, or has to prove the second factor first; when the current password is
    /// wrong, or the new one breaks a rule.
    pub async fn change_password(
        self: &Arc<Self>,
        caller: &Caller,
        input: &ChangePassword,
    ) -> Result<(), Refused> {
        let own = caller.signed_in()?.clone();
        self.stepped_up_if_can(&own).await?;
        let account = self.own_account(&own).await?;
        let password = self.choose_password("/new", &input.new, &account).await?;
        let account = self.prove_password(caller, &own, "/current", &input.current).await?;
        let place = self.sign_in.passwords.enter()?;
        let digest = self.sign_in.passwords.digest(&place, &password, self.salt()).await?;
        drop(place);
        let target =
            Target { kind: "account", id: account.id.to_string(), name: &account.email, project: None };
        let event = self.event(caller, "account.change_password", target);
        let now = self.clock.now();
        self.act(move |tx| {
            Box::pin(async move {
                if !tx.set_password(&account, &digest, now).await? {
                    return Err(keystead_store::StoreError::Conflict.into());
                }
                tx.end_sessions_of_account(account.id, Some(own.id), now).await?;
                // Whoever has a link from before must not undo it.
                tx.end_link(&account.id.0).await?;
                Ok(Acted { value: (), events: vec![event], changes: Vec::new() })
            })
        })
        .await
    }

    /// A password that may be chosen for an account: none that its organizations' names give away.
    pub(super) async fn choose_password(
        &self,
        field: &str,
        text: &str,
        account: &AccountRow,
    ) -> Result<Password, Refused> {
        let mut known = vec![account.email.clone()];
        let mut reader = self.store.read().await?;
        for member in reader.members_of_account(account.id).await? {
            if let Some(organization) = reader.organization(member.organization_id).await? {
                known.extend([organization.name, organization.slug]);
            }
        }
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let password = Password::chosen(field, text, self.sign_in.settings.password_characters_min, &known)?;
        self.refuse_breached(field, &password).await?;
        Ok(password)
    }

    /// The caller's account, whose password was sent once more.
    pub(super) async fn prove_password(
        &self,
        caller: &Caller,
        own: &SessionProof,
        field: &str,
        text: &str,
    ) -> Result<AccountRow, Refused> {
        let offered = Password::offered(field, text)?;
        let place = self.sign_in.passwords.enter()?;
        let account = self.own_account(own).await?;
        has_password(&account)?;
        let one = self.begin_try(&account.email, Some(&account), caller.origin.ip).await?;
        if !self.sign_in.passwords.is_of(&place, &offered, account.password.as_deref()).await? {
            return Err(Refused::SignInFailed);
        }
        self.was_right(one).await;
        Ok(account)
    }
}

/// Refuses an account that has no password.
pub(super) fn has_password(account: &AccountRow) -> Result<(), Refused> {
    if account.password.is_some() {
        return Ok(());
    }
    Err(Refused::conflict(
        "This account signs in through an identity provider: it has no password.",
        "Look after password and second factor there.",
    ))
}
