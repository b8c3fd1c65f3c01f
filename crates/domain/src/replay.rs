//! The keys of one `Idempotency-Key`: under which id its answer is kept, and what seals it.
//!
//! All are derived from the header's value, the caller and the pepper (HKDF, RFC 5869). A stolen
//! database opens none of the sealed answers, however guessable the value is, and neither does
//! another caller who learns the value.

use crate::digest::Pepper;
use crate::ids::{KeyId, OrganizationId};
use crate::seal::{DoesNotOpen, RootKey};
use aws_lc_rs::{digest, hkdf, hmac};
use rand_core::Rng;
use std::fmt;
use zeroize::Zeroizing;

/// The longest `Idempotency-Key`, in bytes.
pub const VALUE_BYTES_MAX: usize = 255;

/// The place that a sealed answer is bound to, beside its key.
const PLACE: &str = "replays/answer";

/// An `Idempotency-Key` as it was sent, with the digest of the request that it came with. It
/// cannot print itself.
#[derive(Clone)]
pub struct IdempotencyKey {
    value: Zeroizing<String>,
    request: [u8; 32],
}

impl IdempotencyKey {
    /// From the header's value; `None` when it is not 1 to [`VALUE_BYTES_MAX`] visible ASCII
    /// characters.
    #[must_use]
    pub fn new(value: &[u8], request: [u8; 32]) -> Option<Self> {
        if !(1..=VALUE_BYTES_MAX).contains(&value.len()) || !value.iter().all(u8::is_ascii_graphic) {
            return None;
        }
        let value = Zeroizing::new(str::from_utf8(value).ok()?.to_owned());
        Some(Self { value, request })
    }
}

impl fmt::Debug for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdempotencyKey")
    }
}

/// The digest of a request: its parts cannot be shifted into each other.
#[must_use]
pub fn request_digest(method: &str, target: &str, body: &[u8]) -> [u8; 32] {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in [method.as_bytes(), target.as_bytes(), body] {
        context.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        context.update(part);
    }
    let mut bytes = [0; 32];
    bytes.copy_from_slice(context.finish().as_ref());
    bytes
}

/// What one caller's `Idempotency-Key` is kept under and sealed with.
pub struct ReplayKeys {
    id: [u8; 32],
    request: [u8; 32],
    seal: RootKey,
}

impl ReplayKeys {
    /// Of a caller and what it sent; `None` only if the library refuses.
    #[must_use]
    pub fn derive(
        pepper: &Pepper,
        organization: OrganizationId,
        caller: KeyId,
        sent: &IdempotencyKey,
    ) -> Option<Self> {
        let salt = pepper.replay_salt(organization, caller);
        let extracted = hkdf::Salt::new(hkdf::HKDF_SHA256, salt.as_slice()).extract(sent.value.as_bytes());
        let expand = |purpose: &[u8]| {
            let mut key = Zeroizing::new([0; 32]);
            let purpose = [purpose];
            extracted.expand(&purpose, hkdf::HKDF_SHA256).ok()?.fill(key.as_mut()).ok()?;
            Some(key)
        };
        // Keyed too: bodies may be guessable, and some hold what is secret.
        let bind = hmac::Key::new(hmac::HMAC_SHA256, expand(b"request")?.as_slice());
        let mut request = [0; 32];
        request.copy_from_slice(hmac::sign(&bind, &sent.request).as_ref());
        Some(Self { id: *expand(b"id")?, request, seal: RootKey::new(&*expand(b"answer")?)? })
    }

    /// What the answer is kept under.
    #[must_use]
    pub const fn id(&self) -> &[u8; 32] {
        &self.id
    }

    /// The keyed digest of the request.
    #[must_use]
    pub const fn request(&self) -> &[u8; 32] {
        &self.request
    }

    /// Seals an answer.
    ///
    /// # Errors
    /// When the library refuses, which it does only for absurd lengths.
    pub fn seal<R: Rng + ?Sized>(&self, answer: &[u8], rng: &mut R) -> Result<Vec<u8>, DoesNotOpen> {
        self.seal.seal(PLACE, answer, rng)
    }

    /// Opens what was sealed with the same keys.
    ///
    /// # Errors
    /// When it was sealed with others, or changed.
    pub fn open(&self, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, DoesNotOpen> {
        self.seal.open(PLACE, sealed)
    }
}

impl fmt::Debug for ReplayKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReplayKeys")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::ChaCha8Rng;
    use rand_core::SeedableRng;

    fn keys(pepper: u8, organization: u8, caller: u64, value: &[u8], request: [u8; 32]) -> ReplayKeys {
        let caller = KeyId::random(&mut ChaCha8Rng::seed_from_u64(caller));
        let sent = IdempotencyKey::new(value, request).unwrap();
        ReplayKeys::derive(&Pepper::new(1, &[pepper; 32]), OrganizationId([organization; 16]), caller, &sent)
            .unwrap()
    }

    #[test]
    fn an_answer_opens_only_for_the_same_caller_value_and_installation() {
        let first = keys(1, 1, 1, b"order-7", [1; 32]);
        let sealed = first.seal(b"a secret", &mut ChaCha8Rng::seed_from_u64(1)).unwrap();
        assert_eq!(keys(1, 1, 1, b"order-7", [2; 32]).open(&sealed).unwrap().as_slice(), b"a secret");
        for other in [
            keys(2, 1, 1, b"order-7", [1; 32]),
            keys(1, 2, 1, b"order-7", [1; 32]),
            keys(1, 1, 2, b"order-7", [1; 32]),
            keys(1, 1, 1, b"order-8", [1; 32]),
        ] {
            assert_ne!(other.id(), first.id());
            assert!(other.open(&sealed).is_err());
        }
    }

    #[test]
    fn another_request_has_the_same_id_and_another_digest() {
        let (first, other) = (keys(1, 1, 1, b"order-7", [1; 32]), keys(1, 1, 1, b"order-7", [2; 32]));
        assert_eq!(first.id(), other.id());
        assert_ne!(first.request(), other.request());
        let digest = request_digest("POST", "/v1/a", b"bc");
        assert_eq!(digest, request_digest("POST", "/v1/a", b"bc"));
        assert_ne!(digest, request_digest("POST", "/v1/ab", b"c"));
        assert_ne!(digest, request_digest("POST/v1/a", "", b"bc"));
    }

    #[test]
    fn a_value_is_visible_ascii_and_bounded_and_never_printed() {
        for value in [&b""[..], b"two words", "ä".as_bytes(), b"a\n", &[b'a'; 256]] {
            assert!(IdempotencyKey::new(value, [0; 32]).is_none(), "{value:?}");
        }
        let value = IdempotencyKey::new(&[b'a'; 255], [0; 32]).unwrap();
        assert_eq!(format!("{value:?}"), "IdempotencyKey");
    }
}
