//! Proving a token that others issued.

use super::imports::{Import, Upgrade};
use super::{Keyring, Scope};
use keystead_api::Code;
use keystead_domain::entry::Entry;
use keystead_domain::foreign::{ForeignToken, Form};
use keystead_domain::ids::{KeyId, OrganizationId};

impl Keyring {
    /// What `then` makes of the imported key that `text` is; `code` when it is none. Management keys are
    /// never imported, so Keystead's own API does not look here.
    pub(super) fn imported<T>(
        &self,
        scope: &Scope,
        text: &str,
        code: Code,
        then: impl FnOnce(&Entry) -> T,
    ) -> Result<T, Code> {
        let Scope::Within { organization, .. } = scope else { return Err(code) };
        if !self.imports.any_of(*organization) {
            return Err(code);
        }
        let (Some(token), Some(pepper)) = (ForeignToken::new(text), self.current_pepper()) else {
            return Err(code);
        };
        // At last the whole token again: it may have become that while the others were looked for.
        for form in Form::FAST.into_iter().chain([Form::Token]) {
            let material = token.material(form);
            let lookup = pepper.foreign_lookup(*organization, form, material.as_ref());
            let proves = |id, import: &Import| {
                let pepper = self.pepper(import.pepper).ok_or(Code::Unavailable)?;
                let digest = pepper.foreign_digest(*organization, id, form, material.as_ref());
                if digest.matches(&import.digest) { Ok(id) } else { Err(Code::NotFound) }
            };
            let Some(id) = self.imports.find(&lookup, proves) else { continue };
            let id = id?;
            let proven = self
                .shards
                .with(id, |entry| if scope.holds(entry) { Ok(then(entry)) } else { Err(Code::NotFound) });
            let proven = proven.unwrap_or(Err(code))?;
            if form != Form::Token {
                self.note_use(*organization, id, token);
            }
            return Ok(proven);
        }
        Err(code)
    }

    /// What an imported key becomes now that its whole token is known.
    pub(crate) fn upgrade_of(
        &self,
        organization: OrganizationId,
        id: KeyId,
        token: ForeignToken<'_>,
    ) -> Option<Upgrade> {
        let pepper = self.current_pepper()?;
        let material = token.material(Form::Token);
        Some(Upgrade {
            organization,
            lookup: pepper.foreign_lookup(organization, Form::Token, material.as_ref()),
            digest: *pepper.foreign_digest(organization, id, Form::Token, material.as_ref()).as_bytes(),
            pepper: pepper.version(),
        })
    }

    fn note_use(&self, organization: OrganizationId, id: KeyId, token: ForeignToken<'_>) {
        if let Some(upgrade) = self.upgrade_of(organization, id, token) {
            self.imports.note_use(id, upgrade);
        }
    }
}
