//! Sealing of small secrets at rest: AES-256-GCM, bound to the place where they are stored, and
//! labelled with the root key that sealed them, so that root keys can be exchanged one by one.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hmac;
use rand_core::Rng;
use std::fmt;
use zeroize::Zeroizing;

/// A sealed value that does not open: another key, another place, or changed bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a sealed value does not open with this root key: it is another installation's key, or the value was changed"
)]
pub struct DoesNotOpen;

/// What a root key is known by. It tells nothing of the key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RootKeyId([u8; 8]);

impl RootKeyId {
    /// The first bytes of everything that this key sealed.
    #[must_use]
    pub fn label(&self) -> [u8; LABEL_LEN] {
        let mut label = [LABELLED; LABEL_LEN];
        if let Some(id) = label.last_chunk_mut::<8>() {
            *id = self.0;
        }
        label
    }

    /// Which key sealed this; `None` for what is no sealed value.
    #[must_use]
    pub fn of(sealed: &[u8]) -> Option<Self> {
        let (first, rest) = sealed.split_first()?;
        let id = rest.first_chunk::<8>()?;
        (*first == LABELLED).then_some(Self(*id))
    }
}

impl fmt::Display for RootKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("rk_")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for RootKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A key that seals every other key of the house.
pub struct RootKey {
    id: RootKeyId,
    key: LessSafeKey,
}

/// The form of a sealed value: this byte, the key's id, a nonce, ciphertext and tag.
const LABELLED: u8 = 1;
/// Bytes before the nonce.
pub const LABEL_LEN: usize = 9;

impl RootKey {
    /// From its 32 secret bytes; `None` only if the library refuses them.
    #[must_use]
    pub fn new(secret: &[u8; 32]) -> Option<Self> {
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), b"keystead root key id");
        let id = RootKeyId(*tag.as_ref().first_chunk::<8>()?);
        UnboundKey::new(&AES_256_GCM, secret).ok().map(LessSafeKey::new).map(|key| Self { id, key })
    }

    /// What it is known by.
    #[must_use]
    pub const fn id(&self) -> RootKeyId {
        self.id
    }

    /// Seals `secret` for `place` (table, row, column, version): label, nonce, ciphertext and tag.
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
        self.key
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(place.as_bytes()),
                &mut sealed,
            )
            .map_err(|_| DoesNotOpen)?;
        sealed.splice(0..0, self.id.label().into_iter().chain(nonce));
        Ok(sealed)
    }

    /// Opens what was sealed for the same `place`.
    ///
    /// # Errors
    /// When it was sealed with another key, for another place, or was changed.
    pub fn open(&self, place: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, DoesNotOpen> {
        let (label, sealed) = sealed.split_at_checked(LABEL_LEN).ok_or(DoesNotOpen)?;
        if label != self.id.label() {
            return Err(DoesNotOpen);
        }
        let (nonce, ciphertext) = sealed.split_at_checked(NONCE_LEN).ok_or(DoesNotOpen)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| DoesNotOpen)?;
        let mut opened = Zeroizing::new(ciphertext.to_vec());
        let length = self
            .key
            .open_in_place(nonce, Aad::from(place.as_bytes()), &mut opened)
            .map_err(|_| DoesNotOpen)?
            .len();
        opened.truncate(length);
        Ok(opened)
    }
}

impl fmt::Debug for RootKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RootKey({})", self.id)
    }
}

/// The root keys at hand: the current one seals, each opens what it sealed.
#[derive(Debug)]
pub struct RootKeys {
    current: RootKey,
    earlier: Vec<RootKey>,
}

impl RootKeys {
    /// The current one and those before it.
    #[must_use]
    pub const fn new(current: RootKey, earlier: Vec<RootKey>) -> Self {
        Self { current, earlier }
    }

    /// The one that seals.
    #[must_use]
    pub const fn current(&self) -> &RootKey {
        &self.current
    }

    /// Every one, the current one first.
    pub fn iter(&self) -> impl Iterator<Item = &RootKey> {
        std::iter::once(&self.current).chain(&self.earlier)
    }

    /// Seals with the current one: see [`RootKey::seal`].
    ///
    /// # Errors
    /// When the library refuses.
    pub fn seal<R: Rng + ?Sized>(
        &self,
        place: &str,
        secret: &[u8],
        rng: &mut R,
    ) -> Result<Vec<u8>, DoesNotOpen> {
        self.current.seal(place, secret, rng)
    }

    /// Opens with the one that sealed it: see [`RootKey::open`].
    ///
    /// # Errors
    /// When that one is not at hand, or it was sealed for another place, or was changed.
    pub fn open(&self, place: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, DoesNotOpen> {
        let id = RootKeyId::of(sealed).ok_or(DoesNotOpen)?;
        self.iter().find(|key| key.id == id).ok_or(DoesNotOpen)?.open(place, sealed)
    }
}

/// Their ids for people: `rk_… (current), rk_…`.
impl fmt::Display for RootKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (current)", self.current.id)?;
        self.earlier.iter().try_for_each(|key| write!(f, ", {}", key.id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::ChaCha8Rng;
    use rand_core::SeedableRng;

    fn key(n: u8) -> RootKey {
        RootKey::new(&[n; 32]).unwrap()
    }

    /// LESSONS 30: ciphertext without associated data can be moved between rows.
    #[test]
    fn lesson_30_what_was_sealed_for_one_place_opens_only_there() {
        let root = key(1);
        let sealed = root.seal("peppers/1", b"secret", &mut ChaCha8Rng::seed_from_u64(1)).unwrap();
        assert_eq!(root.open("peppers/1", &sealed).unwrap().as_slice(), b"secret");
        assert_eq!(root.open("peppers/2", &sealed).unwrap_err(), DoesNotOpen);
        assert!(key(2).open("peppers/1", &sealed).is_err());
        assert!(root.open("peppers/1", &sealed[..8]).is_err());
        assert!(root.open("peppers/1", &sealed[..20]).is_err());
    }

    /// LESSONS 38: changing the encryption key bricked the installation.
    #[test]
    fn lesson_38_each_key_opens_what_it_sealed_and_the_current_one_seals() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let old = key(1).seal("here", b"old", &mut rng).unwrap();
        let keys = RootKeys::new(key(2), vec![key(1)]);
        assert_eq!(keys.open("here", &old).unwrap().as_slice(), b"old");
        let new = keys.seal("here", b"new", &mut rng).unwrap();
        assert_eq!(RootKeyId::of(&new), Some(key(2).id()));
        assert_eq!(key(2).open("here", &new).unwrap().as_slice(), b"new");
        assert!(RootKeys::new(key(2), vec![]).open("here", &old).is_err());
        // Another's label opens nothing.
        let relabelled = [&key(2).id().label()[..], &old[LABEL_LEN..]].concat();
        assert!(keys.open("here", &relabelled).is_err());
    }

    #[test]
    fn an_id_tells_keys_apart_and_nothing_of_them() {
        assert_eq!(key(1).id(), key(1).id());
        assert_ne!(key(1).id(), key(2).id());
        let shown = format!("{:?} {}", key(7), key(7).id());
        assert!(shown.contains("rk_") && !shown.contains("0707"), "{shown}");
        assert_eq!(key(1).id().to_string().len(), "rk_".len() + 16);
    }
}
