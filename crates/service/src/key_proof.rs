//! What is stored of a key's token: never the token, and nothing that verifies without the pepper.

use crate::Keystead;
use crate::refused::Refused;
use keystead_domain::ids::{KeyId, OrganizationId};
use keystead_domain::token::PlainKey;

/// What a key is proven by, and what is shown of it.
pub(crate) struct Proof {
    pub(crate) id: KeyId,
    pub(crate) digest: [u8; 32],
    pub(crate) pepper_version: i64,
    /// How its token begins.
    pub(crate) start: String,
}

impl Keystead {
    /// The proof of a token that was minted here.
    pub(crate) fn proof_of(
        &self,
        organization: OrganizationId,
        id: KeyId,
        key: &PlainKey,
    ) -> Result<Proof, Refused> {
        let pepper = self.keyring.current_pepper().ok_or_else(|| Refused::Internal("no pepper".into()))?;
        let token = key.token().ok_or_else(|| Refused::Internal("a minted key does not parse".into()))?;
        Ok(Proof {
            id,
            digest: *pepper.digest(organization, id, &token).as_bytes(),
            pepper_version: i64::from(pepper.version()),
            start: token.start().into(),
        })
    }

    /// An id and a new token for it.
    pub(crate) fn mint_token(&self, prefix: &str, tag: &str) -> (KeyId, PlainKey) {
        self.entropy.with(|rng| {
            let id = KeyId::random(rng);
            (id, PlainKey::mint(prefix, tag, id, rng))
        })
    }
}
