//! The key as its holder sees it: `<prefix>_<env tag>_<id><secret><checksum>`.
//!
//! The last part is base62 of fixed length: 12 digits of public id (71 bits), 32 of secret
//! (190 bits), 6 of checksum (CRC-32 of everything before it). A scanner can reject false
//! positives offline, and a mistyped key is told apart from a revoked one.

use crate::base62;
use crate::ids::{KEY_ID_DIGITS, KeyId};
use rand_core::Rng;
use std::fmt;
use zeroize::Zeroizing;

/// Digits of the secret: 190 bits.
pub const SECRET_DIGITS: usize = 32;
/// Digits of the checksum: a CRC-32 needs six.
pub const CHECKSUM_DIGITS: usize = 6;
/// Digits after the last `_`.
pub const BODY_DIGITS: usize = KEY_ID_DIGITS + SECRET_DIGITS + CHECKSUM_DIGITS;
/// The longest prefix.
pub const PREFIX_BYTES_MAX: usize = 32;
/// The longest environment tag.
pub const TAG_BYTES_MAX: usize = 16;
/// The longest token.
pub const TOKEN_BYTES_MAX: usize = PREFIX_BYTES_MAX + 1 + TAG_BYTES_MAX + 1 + BODY_DIGITS;

/// A text that has the form of a token; its checksum is still to be compared.
#[derive(Clone, Copy)]
pub struct Unchecked<'a> {
    whole: &'a str,
    id: KeyId,
}

impl<'a> Unchecked<'a> {
    /// Reads a text; `None` when it is of another alphabet or length.
    #[must_use]
    #[inline]
    pub fn read(text: &'a str) -> Option<Self> {
        let whole = text.as_bytes();
        if whole.len() > TOKEN_BYTES_MAX {
            return None;
        }
        let (head, body) = whole.split_at_checked(whole.len().checked_sub(BODY_DIGITS)?)?;
        let (prefix, tag) = split_head(head.strip_suffix(b"_")?)?;
        if !base62::is_base62(body) || !is_prefix(prefix) || !is_tag(tag) {
            return None;
        }
        Some(Self { whole: text, id: KeyId::from_slice(body.get(..KEY_ID_DIGITS)?)? })
    }

    /// The id that it claims, to look for its key while the checksum is compared.
    #[must_use]
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// The token, if its checksum fits. Any change of one character is caught (CRC-32 finds every
    /// burst of 32 bits).
    #[must_use]
    #[inline]
    pub fn checked(self) -> Option<Token<'a>> {
        let whole = self.whole.as_bytes();
        let (signed, checksum) = whole.split_at_checked(whole.len().checked_sub(CHECKSUM_DIGITS)?)?;
        (checksum_of(signed) == checksum).then_some(Token { whole: self.whole, id: self.id })
    }
}

impl fmt::Debug for Unchecked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Unchecked({})", self.id)
    }
}

/// A well-formed token in somebody's hands: not yet known to be a key. It cannot print itself.
#[derive(Clone, Copy)]
pub struct Token<'a> {
    whole: &'a str,
    id: KeyId,
}

impl<'a> Token<'a> {
    /// Reads a token; `None` when it is malformed: another alphabet or length, or a checksum that
    /// does not fit.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        Unchecked::read(text)?.checked()
    }

    /// Its public id.
    #[must_use]
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// How it begins, up to its public id: what lists and logs may show.
    #[must_use]
    pub fn start(&self) -> &'a str {
        self.whole.get(..self.whole.len() - SECRET_DIGITS - CHECKSUM_DIGITS).unwrap_or_default()
    }

    /// All of it, for digesting.
    pub(crate) const fn expose(&self) -> &'a str {
        self.whole
    }
}

impl fmt::Debug for Token<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({})", self.id)
    }
}

/// A key just minted, in the clear. It leaves once, in the answer; it is wiped when dropped; it
/// cannot print or serialise itself.
pub struct PlainKey(Zeroizing<String>);

impl PlainKey {
    /// Mints a key for `id`. `prefix` and `tag` have passed [`crate::name`].
    pub fn mint<R: Rng + ?Sized>(prefix: &str, tag: &str, id: KeyId, rng: &mut R) -> Self {
        let mut secret = Zeroizing::new([0; SECRET_DIGITS]);
        base62::random(rng, secret.as_mut());
        // Reserved whole, so that no reallocation leaves a copy of the secret behind.
        let mut whole = Zeroizing::new(String::with_capacity(prefix.len() + tag.len() + 2 + BODY_DIGITS));
        whole.push_str(prefix);
        whole.push('_');
        whole.push_str(tag);
        whole.push('_');
        whole.push_str(id.digits());
        whole.push_str(str::from_utf8(secret.as_ref()).unwrap_or_default());
        let checksum = checksum_of(whole.as_bytes());
        whole.push_str(str::from_utf8(&checksum).unwrap_or_default());
        Self(whole)
    }

    /// Mints one for `id` that begins like another, by how that one begins: its prefix is kept whole,
    /// however many `_` are in it. `None` when it does not begin like a key of ours.
    pub fn mint_like<R: Rng + ?Sized>(start: &str, id: KeyId, rng: &mut R) -> Option<Self> {
        let (head, digits) = start.split_at_checked(start.len().checked_sub(KEY_ID_DIGITS)?)?;
        let (prefix, tag) = split_head(head.strip_suffix('_')?.as_bytes())?;
        if !base62::is_base62(digits.as_bytes()) || !is_prefix(prefix) || !is_tag(tag) {
            return None;
        }
        Some(Self::mint(str::from_utf8(prefix).ok()?, str::from_utf8(tag).ok()?, id, rng))
    }

    /// The key itself. Whoever calls this shows it to its new holder, and nobody else.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// As a token, to digest it.
    #[must_use]
    pub fn token(&self) -> Option<Token<'_>> {
        Token::parse(&self.0)
    }
}

impl fmt::Debug for PlainKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PlainKey")
    }
}

/// `prefix_tag` at its last `_`: a prefix may hold more of them (a rival cut at the first).
fn split_head(head: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = head.iter().rposition(|byte| *byte == b'_')?;
    Some((head.get(..at)?, head.get(at + 1..)?))
}

fn is_prefix(prefix: &[u8]) -> bool {
    matches!(prefix.first(), Some(b'a'..=b'z'))
        && prefix.len() <= PREFIX_BYTES_MAX
        && prefix.iter().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'))
}

fn is_tag(tag: &[u8]) -> bool {
    (1..=TAG_BYTES_MAX).contains(&tag.len())
        && tag.iter().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9'))
}

fn checksum_of(signed: &[u8]) -> [u8; CHECKSUM_DIGITS] {
    let mut digits = [0; CHECKSUM_DIGITS];
    base62::encode_u64(u64::from(crc32fast::hash(signed)), &mut digits);
    digits
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand_chacha::ChaCha8Rng;
    use rand_core::SeedableRng;

    fn mint(prefix: &str, tag: &str, seed: u64) -> PlainKey {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let id = KeyId::random(&mut rng);
        PlainKey::mint(prefix, tag, id, &mut rng)
    }

    #[test]
    fn a_seeded_key_is_exactly_this() {
        let key = mint("acme", "live", 7);
        let token = key.token().unwrap();
        assert_eq!(key.expose(), "acme_live_15TZqLdewfVkJiFUC9FVvbA2YRmgyMspB4p5LQ2HVXaP4PiqoU");
        assert_eq!(token.start(), format!("acme_live_{}", token.id().digits()));
    }

    /// LESSONS 4: a prefix with underscores was cut at the first one.
    #[test]
    fn lesson_4_a_prefix_with_underscores_is_kept_whole() {
        let key = mint("my_company_eu", "live", 1);
        assert!(key.token().unwrap().start().starts_with("my_company_eu_live_"));
    }

    #[test]
    fn neither_token_nor_key_prints_its_secret() {
        let key = mint("acme", "live", 3);
        let shown = format!("{:?} {:?}", key, key.token().unwrap());
        let secret = &key.expose()[key.expose().len() - 38..];
        assert!(!shown.contains(&secret[..8]), "{shown}");
    }

    proptest! {
        #[test]
        fn what_is_minted_parses(prefix in "[a-z][a-z0-9_]{0,30}[a-z0-9]", tag in "[a-z0-9]{1,16}", seed: u64) {
            let key = mint(&prefix, &tag, seed);
            let token = key.token().unwrap();
            prop_assert_eq!(token.start(), format!("{prefix}_{tag}_{}", token.id().digits()));
        }

        #[test]
        fn any_change_of_one_character_is_caught(seed: u64, at in 0_usize..60, to in "[ -~]") {
            let key = mint("acme", "live", seed);
            let mut changed = key.expose().to_owned();
            changed.replace_range(at..=at, &to);
            prop_assume!(changed != key.expose());
            prop_assert!(Token::parse(&changed).is_none());
        }

        #[test]
        fn any_text_is_refused_or_read_without_panic(text in "\\PC{0,120}") {
            let _ = Token::parse(&text);
        }
    }
}
