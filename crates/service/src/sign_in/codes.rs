//! Recovery codes: given in place of those from before.

use crate::Keystead;
use crate::caller::Caller;
use crate::refused::Refused;
use keystead_api::RecoveryCodes;
use keystead_domain::ids::AccountId;
use keystead_domain::sign_in::recovery_code;
use keystead_store::Acted;
use std::sync::Arc;

impl Keystead {
    /// Gives the caller's account new recovery codes.
    ///
    /// # Errors
    /// When the caller has no session, has not proved the second factor a moment ago, or has none.
    pub async fn renew_recovery_codes(self: &Arc<Self>, caller: &Caller) -> Result<RecoveryCodes, Refused> {
        let own = caller.signed_in()?.clone();
        self.stepped_up_if_can(&own).await?;
        let account = self.own_account(&own).await?;
        let event = self.account_event(caller, &account, "account.renew_recovery_codes");
        let (codes, digests) = self.new_recovery_codes(own.account)?;
        self.act(move |tx| {
            Box::pin(async move {
                let totp = tx.second_factor(own.account).await?;
                let totp = totp.is_some_and(|row| row.confirmed_at.is_some());
                if !totp && tx.passkeys(own.account).await?.is_empty() {
                    return Err(Refused::conflict(
                        "The account has no second factor.",
                        "Set one up: keystead account passkeys add, or keystead account totp setup.",
                    ));
                }
                tx.replace_recovery_codes(own.account, &digests).await?;
                Ok(Acted { value: codes, events: vec![event], changes: Vec::new() })
            })
        })
        .await
    }

    /// New codes, and what is kept of them.
    pub(super) fn new_recovery_codes(
        &self,
        account: AccountId,
    ) -> Result<(RecoveryCodes, Vec<[u8; 32]>), Refused> {
        let mut codes = RecoveryCodes { codes: Vec::with_capacity(recovery_code::CODES) };
        let mut digests = Vec::with_capacity(recovery_code::CODES);
        for _ in 0..recovery_code::CODES {
            let code = self.entropy.with(|rng| recovery_code::mint(rng));
            let form = recovery_code::canonical(&code)
                .ok_or_else(|| Refused::Internal("a recovery code that is none".into()))?;
            digests.push(self.recovery_digest(account, &form)?);
            codes.codes.push(code.to_string());
        }
        Ok((codes, digests))
    }
}
