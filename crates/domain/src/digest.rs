//! What is stored of a key: HMAC-SHA-256 with a server-side key, the pepper.
//!
//! The digest is bound to organization and key id: a stolen database verifies nothing without the
//! pepper, and a digest copied to another row does not match there.

use crate::ids::{KeyId, OrganizationId};
use crate::token::Token;
use aws_lc_rs::hmac;
use std::fmt;
use zeroize::Zeroizing;

/// The digest of a key. It neither prints nor serialises itself.
#[derive(Clone, Copy)]
pub struct Digest([u8; 32]);

impl Digest {
    /// As the store has it.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// For the store only.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Whether two digests are equal, in constant time.
    #[must_use]
    pub fn matches(&self, other: &Self) -> bool {
        aws_lc_rs::constant_time::verify_slices_are_equal(&self.0, &other.0).is_ok()
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest")
    }
}

/// SHA-256 of what is no secret: whether two texts are the same.
#[must_use]
pub fn of_text(text: &[u8]) -> [u8; 32] {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text);
    digest.as_ref().try_into().unwrap_or_default()
}

/// The server-side key of all digests, with its version, which stands beside each digest.
pub struct Pepper {
    version: u16,
    key: hmac::Key,
}

impl Pepper {
    /// From its 32 secret bytes.
    #[must_use]
    pub fn new(version: u16, secret: &[u8; 32]) -> Self {
        Self { version, key: hmac::Key::new(hmac::HMAC_SHA256, secret) }
    }

    /// Its version.
    #[must_use]
    pub const fn version(&self) -> u16 {
        self.version
    }

    /// The secret of which the signer of the audit's checkpoints is made. What is hashed for it is shorter than
    /// what any digest hashes: no digest in the database can be this.
    #[must_use]
    pub(crate) fn audit_seed(&self) -> Zeroizing<[u8; 32]> {
        let mut seed = Zeroizing::new([0; 32]);
        let tag = hmac::sign(&self.key, b"audit signer");
        seed.iter_mut().zip(tag.as_ref()).for_each(|(to, from)| *to = *from);
        seed
    }

    /// The digest of a token as the key `id` of `organization`.
    #[must_use]
    pub fn digest(&self, organization: OrganizationId, id: KeyId, token: &Token<'_>) -> Digest {
        self.digest_while(organization, id, token, || {})
    }

    /// [`Self::digest`], calling `fetch` where what it asks for can arrive while bytes are digested:
    /// before, the library wipes a buffer in a way that waits for all earlier writes.
    #[must_use]
    pub fn digest_while(
        &self,
        organization: OrganizationId,
        id: KeyId,
        token: &Token<'_>,
        fetch: impl FnOnce(),
    ) -> Digest {
        // In pieces: no copy of the token stays behind on the stack.
        let mut context = hmac::Context::with_key(&self.key);
        fetch();
        context.update(&organization.0);
        context.update(id.as_bytes());
        context.update(token.expose().as_bytes());
        let tag = context.sign();
        let mut digest = [0; 32];
        digest.copy_from_slice(tag.as_ref());
        Digest(digest)
    }

    /// What the keys of a caller's `Idempotency-Key`s are derived with. The label keeps it apart from
    /// every digest: those begin with the random id of an organization.
    pub(crate) fn replay_salt(&self, organization: OrganizationId, caller: KeyId) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.labelled(&[b"keystead replays", &organization.0, caller.as_bytes()]))
    }

    /// HMAC of parts, of which the first is a label and all but the last are of known length.
    pub(crate) fn labelled(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.key);
        for part in parts {
            context.update(part);
        }
        let mut tag = [0; 32];
        tag.copy_from_slice(context.sign().as_ref());
        tag
    }
}

/// What a keyed digest is of, where it is of no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A session's token.
    Session,
    /// What a browser must send beside a session's cookie.
    Csrf,
    /// The token of a link.
    Link,
    /// Who tried to sign in, from where.
    Tries,
    /// A recovery code.
    RecoveryCode,
    /// The token of a sign-in under way.
    Flow,
    /// What comes back from a provider beside the code.
    FlowState,
    /// What comes back from a provider in the ID token.
    FlowNonce,
    /// What proves to a provider that who sends the code is who began (RFC 7636).
    FlowVerifier,
    /// The token of a passkey's ceremony under way.
    PasskeyFlow,
    /// What a passkey is to sign.
    PasskeyChallenge,
}

impl Purpose {
    const fn label(self) -> &'static [u8] {
        match self {
            Self::Session => b"people session",
            Self::Csrf => b"people csrf",
            Self::Link => b"people link",
            Self::Tries => b"people tries",
            Self::RecoveryCode => b"people recovery code",
            Self::Flow => b"people flow",
            Self::FlowState => b"people flow state",
            Self::FlowNonce => b"people flow nonce",
            Self::FlowVerifier => b"people flow verify",
            Self::PasskeyFlow => b"people passkey flow",
            Self::PasskeyChallenge => b"people passkey ask",
        }
    }
}

impl Pepper {
    /// A keyed digest of parts, under a key of its own for each purpose. What is hashed for that key is shorter
    /// than what any digest of a key hashes: none in the database can be one.
    #[must_use]
    pub fn tag(&self, purpose: Purpose, parts: &[&[u8]]) -> [u8; 32] {
        let own = Zeroizing::new(self.labelled(&[purpose.label()]));
        let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, own.as_slice()));
        for part in parts {
            // With its length: else two lists of parts could be one text.
            context.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            context.update(part);
        }
        let mut tag = [0; 32];
        tag.copy_from_slice(context.sign().as_ref());
        tag
    }
}

/// Whether two digests are equal, in constant time (GHSA-34fc: a recovery token was compared byte by byte).
#[must_use]
pub fn equal(one: &[u8], other: &[u8]) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(one, other).is_ok()
}

impl fmt::Debug for Pepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pepper(version {})", self.version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::PlainKey;
    use rand_chacha::ChaCha8Rng;
    use rand_core::SeedableRng;

    #[test]
    fn a_digest_fits_only_its_own_row_and_pepper() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let (organization, other_organization) = (OrganizationId([1; 16]), OrganizationId([2; 16]));
        let (id, other_id) = (KeyId::random(&mut rng), KeyId::random(&mut rng));
        let key = PlainKey::mint("acme", "live", id, &mut rng);
        let token = key.token().unwrap();
        let pepper = Pepper::new(1, &[7; 32]);
        let digest = pepper.digest(organization, id, &token);
        assert!(digest.matches(&pepper.digest(organization, id, &token)));
        assert!(!digest.matches(&pepper.digest(other_organization, id, &token)));
        assert!(!digest.matches(&pepper.digest(organization, other_id, &token)));
        assert!(!digest.matches(&Pepper::new(1, &[8; 32]).digest(organization, id, &token)));
    }
}
