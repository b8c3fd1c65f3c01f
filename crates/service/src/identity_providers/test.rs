//! Trying whether a sign-in through a provider could begin.

use crate::caller::Caller;
use crate::refused::Refused;
use crate::sign_in::issuer_of;
use crate::{Keystead, management};
use keystead_api::IdentityProviderTest;
use std::sync::Arc;

impl Keystead {
    /// Asks a provider what a sign-in will need.
    ///
    /// # Errors
    /// When there is none, or the caller may not change it. What is wrong with the provider is no error.
    pub async fn test_identity_provider(
        self: &Arc<Self>,
        caller: &Caller,
        named: &str,
    ) -> Result<IdentityProviderTest, Refused> {
        self.authorise(caller, management::PEOPLE_WRITE, None).await?;
        let row = self.provider_row(caller, named).await?;
        let relying = &self.sign_in.relying;
        let failed = |problem: String| IdentityProviderTest {
            ok: false,
            problem: Some(problem),
            authorization_endpoint: None,
            algorithms: Vec::new(),
            signing_keys: 0,
        };
        let issuer = match issuer_of(&row, relying.bounds()) {
            Ok(issuer) => issuer,
            Err(refused) => return Ok(failed(refused.to_string())),
        };
        Ok(match relying.test(&issuer, self.clock.now()).await {
            Err(failure) => failed(failure.to_string()),
            Ok(found) => IdentityProviderTest {
                ok: found.keys > 0,
                problem: (found.keys == 0).then(|| "It has no key that can be used here.".to_owned()),
                authorization_endpoint: Some(found.authorization_endpoint),
                algorithms: found.algorithms,
                signing_keys: u32::try_from(found.keys).unwrap_or(u32::MAX),
            },
        })
    }
}
