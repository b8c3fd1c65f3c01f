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
        let at = self.clock.now();
        let found = match self.keyring.find(&Scope::Everywhere, token, at) {
            Err(code @ (Code::Malformed | Code::NotFound)) => self.foreign_holder(token, code).await,
            found => found,
        };
        let entry = found.map_err(|code| {
            self.counters.count_unknown_caller();
            refuse(&Verdict::of(code))
        })?;
        Ok(Caller { entry, origin, session: None, at })
    }

    /// The imported key that a token is. It does not say whose it is, so each organization that has
    /// imports is asked, for slow digests only when none knows the token without. One that two of them know
    /// belongs to neither: it must not act for one because of what the other did. Nor does one that cannot
    /// know now keep another from answering.
    async fn foreign_holder(self: &Arc<Self>, token: &str, code: Code) -> Result<Entry, Code> {
        let organizations = self.keyring.imports.organizations().into_iter();
        let scopes: Vec<_> = organizations
            .map(|organization| Scope::Within { organization, project: None, environment: None })
            .collect();
        let now = self.clock.now();
        let mut answers: Vec<_> = scopes.iter().map(|scope| self.keyring.find(scope, token, now)).collect();
        if answers.iter().all(Result::is_err) {
            for (scope, answer) in scopes.iter().zip(&mut answers) {
                *answer = Box::pin(self.find_slow(scope, token, code)).await;
            }
        }
        only_one(answers, code)
    }
}

/// What the organizations that were asked say together.
fn only_one(answers: Vec<Result<Entry, Code>>, code: Code) -> Result<Entry, Code> {
    let nobody = if answers.iter().any(|said| matches!(said, Err(Code::Unavailable))) {
        Code::Unavailable
    } else {
        code
    };
    let mut found = answers.into_iter().flatten();
    match (found.next(), found.next()) {
        (Some(entry), None) => Ok(entry),
        (Some(_), Some(_)) => Err(code),
        (None, _) => Err(nobody),
    }
}
