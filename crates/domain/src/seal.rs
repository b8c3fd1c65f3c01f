//! Sealing of small secrets at rest: AES-256-GCM, bound to the place where they are stored.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use rand_core::Rng;
use std::fmt;
use zeroize::Zeroizing;

/// A sealed value that does not open: another key, another place, or changed bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a sealed value does not open with this root key: it is another installation's key, or the value was changed"
)]
pub struct DoesNotOpen;

/// The key that seals every other key of the house.
pub struct RootKey(LessSafeKey);

impl RootKey {
    /// From its 32 secret bytes; `None` only if the library refuses them.
    #[must_use]
    pub fn new(secret: &[u8; 32]) -> Option<Self> {
        UnboundKey::new(&AES_256_GCM, secret).ok().map(LessSafeKey::new).map(Self)
    }

    /// Seals `secret` for `place` (table, row, column, version): nonce, ciphertext and tag.
    ///
    /// Nonces are random: one root key seals far fewer than the 2³² values at which NIST
    /// SP 800-38D §8.3 ends that.
    ///
    /// # Errors
    /// When the library refuses, which it does only for absurd lengths.
    pub fn seal<R: Rng + ?Sized>(
        &self,
        place: &str,
        secret: &[u8],
        rng: &mut R,
    ) -> Result<Vec<u8>, DoesNotOpen> {
        let mut nonce = [0; NONCE_LEN];
        rng.fill_bytes(&mut nonce);
        let mut sealed = secret.to_vec();
        self.0
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(place.as_bytes()),
                &mut sealed,
            )
            .map_err(|_| DoesNotOpen)?;
        sealed.splice(0..0, nonce);
        Ok(sealed)
    }

    /// Opens what was sealed for the same `place`.
    ///
    /// # Errors
    /// When it was sealed with another key, for another place, or was changed.
    pub fn open(&self, place: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, DoesNotOpen> {
        let (nonce, ciphertext) = sealed.split_at_checked(NONCE_LEN).ok_or(DoesNotOpen)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| DoesNotOpen)?;
        let mut opened = Zeroizing::new(ciphertext.to_vec());
        let length = self
            .0
            .open_in_place(nonce, Aad::from(place.as_bytes()), &mut opened)
            .map_err(|_| DoesNotOpen)?
            .len();
        opened.truncate(length);
        Ok(opened)
    }
}

impl fmt::Debug for RootKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RootKey")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::ChaCha8Rng;
    use rand_core::SeedableRng;

    /// LESSONS 30: ciphertext without associated data can be moved between rows.
    #[test]
    fn lesson_30_what_was_sealed_for_one_place_opens_only_there() {
        let root = RootKey::new(&[1; 32]).unwrap();
        let sealed = root.seal("peppers/1", b"secret", &mut ChaCha8Rng::seed_from_u64(1)).unwrap();
        assert_eq!(root.open("peppers/1", &sealed).unwrap().as_slice(), b"secret");
        assert_eq!(root.open("peppers/2", &sealed).unwrap_err(), DoesNotOpen);
        assert!(RootKey::new(&[2; 32]).unwrap().open("peppers/1", &sealed).is_err());
        assert!(root.open("peppers/1", &sealed[..8]).is_err());
    }
}
