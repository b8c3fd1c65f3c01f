//! Who holds a key: any that was issued or imported, of whatever organization, by the token alone.

use crate::Keystead;
use crate::caller::{Caller, Origin, refuse};
use crate::keyring::Scope;
use crate::refused::Refused;
use keystead_api::Code;
use keystead_domain::decide::Verdict;
use keystead_domain::entry::Entry;
use std::sync::Arc;

impl Keystead {
    /// Who holds a key, for minting from it.
    ///
    /// # Errors
    /// With the verdict `malformed`, `not_found`, `wrong_secret` or `unavailable`.
    pub async fn identify_holder(self: &Arc<Self>, token: &str, origin: Origin) -> Result<Caller, Refused> {
        self.seek(token).await;
        let found = match self.keyring.find(&Scope::Everywhere, token, self.clock.now()) {
            Err(code @ (Code::Malformed | Code::NotFound)) => self.foreign_holder(token, code).await,
            found => found,
        };
        let entry = found.map_err(|code| {
            self.counters.count_unknown_caller();
            refuse(&Verdict::of(code))
        })?;
        Ok(Caller { entry, origin })
    }

    /// The imported key that a token is. It does not say whose it is, so each organization that has
    /// imports is asked; a token that two of them know belongs to neither: it must not act for one
    /// because of what the other did.
    async fn foreign_holder(self: &Arc<Self>, token: &str, code: Code) -> Result<Entry, Code> {
        let mut found = None;
        for organization in self.keyring.imports.organizations() {
            let scope = Scope::Within { organization, project: None, environment: None };
            match Box::pin(self.find_any(&scope, token)).await {
                Ok(_) if found.is_some() => return Err(code),
                Ok(entry) => found = Some(entry),
                Err(Code::Unavailable) => return Err(Code::Unavailable),
                Err(_) => {}
            }
        }
        found.ok_or(code)
    }
}
