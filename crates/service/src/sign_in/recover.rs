//! Recovering an account whose password was lost, by a link that is mailed to its address. Asking for one is
//! answered before it is known whether there is such an account.

use super::letters::LinkFor;
use super::second_factor::Offered;
use crate::Keystead;
use crate::caller::Origin;
use crate::refused::Refused;
use keystead_api::{RecoverAccount, RequestRecovery};
use keystead_domain::ids::AccountId;
use keystead_domain::invalid::texts_at_most;
use keystead_domain::name;
use keystead_domain::sign_in::password::Password;
use keystead_domain::time::{Micros, SECOND};
use keystead_store::{AccountRow, Acted, Event, MemberRow};
use std::sync::Arc;

/// How long a link lasts.
const LASTS_MICROS: i64 = 3_600 * SECOND;
/// How long an address is sent no second one: nobody fills another's mailbox.
const AGAIN_MICROS: i64 = 300 * SECOND;
/// The longest code that is looked at, in bytes.
const TEXT_BYTES_MAX: usize = 128;

impl Keystead {
    /// Has a link mailed to an address, if it is an account's. What is answered does not tell.
    ///
    /// # Errors
    /// When the address is none, or this installation sends no e-mail.
    pub fn request_recovery(
        self: &Arc<Self>,
        input: &RequestRecovery,
        origin: &Origin,
    ) -> Result<(), Refused> {
        let email = name::email("/email", &input.email)?;
        if !self.sends_mail() {
            return Err(Refused::conflict(
                "This server sends no e-mail.",
                "Ask whoever administers your organization, or whoever runs the server.",
            ));
        }
        let Ok(place) = Arc::clone(&self.sign_in.recoveries).try_acquire_owned() else { return Ok(()) };
        let (this, origin) = (Arc::clone(self), origin.clone());
        // Not waited for: the time would tell.
        self.tasks.spawn(async move {
            let _place = place;
            if let Err(error) = this.mail_recovery(&email, &origin).await {
                tracing::warn!(%error, "a link to recover an account could not be written");
            }
        });
        Ok(())
    }

    async fn mail_recovery(self: &Arc<Self>, email: &str, origin: &Origin) -> Result<(), Refused> {
        let mut reader = self.store.read().await?;
        let Some(account) = reader.account_by_email(email).await? else { return Ok(()) };
        let members = reader.members_of_account(account.id).await?;
        let Some(first) = members.iter().find(|member| !member.disabled) else { return Ok(()) };
        let now = self.clock.now();
        let recent = |at: Micros| (0..AGAIN_MICROS).contains(&now.since(at));
        if reader.link(&account.id.0).await?.is_some_and(|link| recent(link.created_at)) {
            return Ok(());
        }
        drop(reader);
        let link = self.new_link(LinkFor::Recovery, account.id.0, None, LASTS_MICROS)?;
        let url = self.link_url(LinkFor::Recovery, &link.token);
        let text = zeroize::Zeroizing::new(format!(
            "Somebody asked to set another password for {email} at {}.\n\n\
             What to do: open {}\n\
             or run: keystead account recover --url {}\n\n\
             The link works once, until {}. If it was not you, do nothing: your password stays.\n",
            self.sign_in.settings.url,
            url.as_str(),
            self.sign_in.settings.url,
            link.row.expires_at.to_timestamp(),
        ));
        let (events, organization) =
            (self.events_of(&members, "account.request_recovery", email, origin), first.organization_id);
        let (this, to) = (Arc::clone(self), email.to_owned());
        self.act(move |tx| {
            Box::pin(async move {
                tx.put_link(&link.row).await?;
                let subject = "Set another password for Keystead".to_owned();
                this.write_letter(tx, LinkFor::Recovery, (organization, &to), (subject, &text)).await?;
                Ok(Acted { value: (), events, changes: Vec::new() })
            })
        })
        .await?;
        self.post.hurry();
        Ok(())
    }

    /// Waits until no letter of a recovery is being written.
    #[cfg(feature = "testing")]
    pub async fn recoveries_done_for_a_test(&self) {
        let all = u32::try_from(super::RECOVERIES_AT_ONCE).unwrap_or(u32::MAX);
        let _ = self.sign_in.recoveries.acquire_many(all).await;
    }

    /// Sets another password by a link that was mailed, and ends every session of the account.
    ///
    /// # Errors
    /// [`Refused::LinkInvalid`] whatever is wrong with the link; what signing in asks for where there is a second
    /// factor; when the new password breaks a rule.
    pub async fn recover_account(
        self: &Arc<Self>,
        input: &RecoverAccount,
        origin: &Origin,
    ) -> Result<(), Refused> {
        texts_at_most(TEXT_BYTES_MAX, &[("/code", &input.code)])?;
        let offered = Password::offered("/password", &input.password)?;
        let factor = Offered::without_session(input.code.as_deref(), input.passkey.as_ref())?;
        let place = self.sign_in.passwords.enter()?;
        let link = self.find_link(LinkFor::Recovery, &input.token).await?;
        let account = match &link {
            Some(link) => self.store.read().await?.account(AccountId(link.subject_id)).await?,
            None => None,
        };
        let (Some(link), Some(account)) = (link, account) else {
            self.sign_in.passwords.is_of(&place, &offered, None).await?;
            return Err(Refused::LinkInvalid);
        };
        let password = self.choose_password("/password", &input.password, &account).await?;
        let one = self.begin_try(&account.email, Some(&account), origin.ip).await?;
        let proof = match self.second_factor_proof(account.id, factor, origin).await {
            Ok(proof) => proof,
            Err(refused) => return Err(self.asked_for_more(refused, one).await),
        };
        let digest = self.sign_in.passwords.digest(&place, &password, self.salt()).await?;
        drop(place);
        let members = self.store.read().await?.members_of_account(account.id).await?;
        let events = self.events_of(&members, "account.recover", &account.email, origin);
        let now = self.clock.now();
        self.act(move |tx| {
            Box::pin(async move {
                if !tx.take_link(&link, now).await? {
                    return Err(Refused::LinkInvalid);
                }
                proof.take(tx, account.id).await?;
                set(tx, &account, &digest, now).await?;
                Ok(Acted { value: (), events, changes: Vec::new() })
            })
        })
        .await?;
        self.was_right(one).await;
        Ok(())
    }

    /// On record in every organization that the account is in.
    fn events_of(
        &self,
        members: &[MemberRow],
        action: &'static str,
        email: &str,
        origin: &Origin,
    ) -> Vec<Event> {
        members.iter().map(|member| self.event_of(member, None, action, email, origin)).collect()
    }
}

async fn set(
    tx: &mut keystead_store::Tx,
    account: &AccountRow,
    digest: &str,
    now: Micros,
) -> Result<(), Refused> {
    if !tx.set_password(account, digest, now).await? {
        return Err(keystead_store::StoreError::Conflict.into());
    }
    tx.end_sessions_of_account(account.id, None, now).await?;
    Ok(())
}
