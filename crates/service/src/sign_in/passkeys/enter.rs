//! Signing in with nothing but a passkey: the device is one factor, what its user proved to it the other.

use super::ceremony::For;
use super::encode;
use super::prove::Sent;
use crate::Keystead;
use crate::caller::Origin;
use crate::refused::Refused;
use crate::sign_in::Started;
use crate::sign_in::second_factor::Proof;
use crate::sign_in::start::Entering;
use keystead_api::SignInWithPasskey;
use keystead_domain::invalid::texts_at_most;
use std::sync::Arc;

/// The longest slug that is looked at, in bytes.
const TEXT_BYTES_MAX: usize = 128;

impl Keystead {
    /// Signs somebody in with a passkey.
    ///
    /// # Errors
    /// [`Refused::SignInFailed`] whatever is wrong; [`Refused::PasskeyCopied`] when its counter went back; with one that
    /// is right also [`Refused::OrganizationRequired`] and [`Refused::SingleSignOnRequired`]. [`Refused::TooOften`]
    /// whoever it is.
    pub async fn sign_in_with_passkey(
        self: &Arc<Self>,
        input: &SignInWithPasskey,
        origin: &Origin,
    ) -> Result<Started, Refused> {
        texts_at_most(TEXT_BYTES_MAX, &[("/organization", &input.organization)])?;
        let sent = Sent::read("/passkey", &input.passkey)?;
        let mut reader = self.store.read().await?;
        let known = reader.passkey_by_credential(&sent.credential_id).await?;
        let account = match &known {
            Some(row) => reader.account(row.account_id).await?,
            None => None,
        };
        drop(reader);
        // Counted apart from passwords: who guesses these keeps nobody's passkey out. No address has a space.
        let subject = format!("passkey {}", encode(&sent.credential_id));
        let one = self.begin_try(&subject, account.as_ref(), origin.ip).await?;
        let known = known.filter(|_| sent.names_its_user());
        let proved = self.check_passkey(sent, known, For::SigningIn, origin).await?;
        let account = account.ok_or(Refused::SignInFailed)?;
        let entering = Entering {
            account: &account,
            proof: Proof::Passkey(proved.ceremony),
            organization: input.organization.as_deref(),
            passkey: Some(&proved.row.name),
        };
        match self.start_session(entering, origin).await {
            Ok(started) => {
                self.was_right(one).await;
                Ok(started)
            }
            Err(refused) => Err(self.asked_for_more(refused, one).await),
        }
    }
}
