//! Tokens of sessions, links and sign-ins under way: `kss_…`, `ksl_…`, `ksf_…`, then base62 of fixed length: 22 digits of public id, 32 of
//! secret (190 bits), 6 of checksum. A key has a second `_`: no token is both.

use crate::base62;
use rand_core::Rng;
use std::fmt;
use zeroize::Zeroizing;

const ID_DIGITS: usize = 22;
const SECRET_DIGITS: usize = 32;
const CHECKSUM_DIGITS: usize = 6;
const PREFIX_BYTES: usize = 4;
const BYTES: usize = PREFIX_BYTES + ID_DIGITS + SECRET_DIGITS + CHECKSUM_DIGITS;

/// What a token opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// A session.
    Session,
    /// What a link leads to, once.
    Link,
    /// A sign-in that somebody began and a provider is to finish, or a ceremony of a passkey.
    Flow,
}

impl TokenKind {
    /// How its tokens begin.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Session => "kss_",
            Self::Link => "ksl_",
            Self::Flow => "ksf_",
        }
    }

    /// Whether a text is meant to be one, so that it is no key.
    #[must_use]
    pub fn is_meant(self, text: &str) -> bool {
        text.strip_prefix(self.prefix()).is_some_and(|rest| !rest.contains('_'))
    }
}

/// A well-formed token in somebody's hands: not yet known to open anything. It cannot print itself.
#[derive(Clone, Copy)]
pub struct SecretToken<'a> {
    whole: &'a str,
    id: [u8; 16],
}

impl<'a> SecretToken<'a> {
    /// Reads one; `None` when it is of another kind or length, or its checksum does not fit.
    #[must_use]
    pub fn parse(kind: TokenKind, text: &'a str) -> Option<Self> {
        let body = text.strip_prefix(kind.prefix())?.as_bytes();
        if text.len() != BYTES || !base62::is_base62(body) {
            return None;
        }
        let (signed, checksum) = text.as_bytes().split_at_checked(BYTES - CHECKSUM_DIGITS)?;
        let id = base62::decode(body.get(..ID_DIGITS)?)?;
        (checksum_of(signed) == checksum).then_some(Self { whole: text, id: id.to_be_bytes() })
    }

    /// Its public id.
    #[must_use]
    pub const fn id(&self) -> [u8; 16] {
        self.id
    }

    /// All of it, for digesting.
    #[must_use]
    pub const fn expose(&self) -> &'a str {
        self.whole
    }
}

impl fmt::Debug for SecretToken<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretToken")
    }
}

/// A token just made, in the clear. It leaves once; it is wiped when dropped; it cannot print itself.
pub struct PlainToken(Zeroizing<String>);

impl PlainToken {
    /// Makes one for an id.
    pub fn mint<R: Rng + ?Sized>(kind: TokenKind, id: [u8; 16], rng: &mut R) -> Self {
        let mut digits = [0; ID_DIGITS];
        base62::encode(u128::from_be_bytes(id), &mut digits);
        let mut secret = Zeroizing::new([0; SECRET_DIGITS]);
        base62::random(rng, secret.as_mut());
        let mut whole = Zeroizing::new(String::with_capacity(BYTES));
        whole.push_str(kind.prefix());
        whole.push_str(str::from_utf8(&digits).unwrap_or_default());
        whole.push_str(str::from_utf8(secret.as_ref()).unwrap_or_default());
        let checksum = checksum_of(whole.as_bytes());
        whole.push_str(str::from_utf8(&checksum).unwrap_or_default());
        Self(whole)
    }

    /// The token itself. Whoever calls this gives it to its holder, and nobody else.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PlainToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PlainToken")
    }
}

fn checksum_of(signed: &[u8]) -> [u8; CHECKSUM_DIGITS] {
    let mut digits = [0; CHECKSUM_DIGITS];
    base62::encode_u64(u64::from(crc32fast::hash(signed)), &mut digits);
    digits
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::KeyId;
    use crate::token::{PlainKey, Token};
    use proptest::prelude::*;
    use rand_chacha::ChaCha8Rng;
    use rand_core::SeedableRng;

    fn mint(seed: u64) -> PlainToken {
        PlainToken::mint(TokenKind::Session, [7; 16], &mut ChaCha8Rng::seed_from_u64(seed))
    }

    #[test]
    fn a_token_is_read_back_as_what_it_is_and_as_nothing_else() {
        let token = mint(1);
        assert_eq!(SecretToken::parse(TokenKind::Session, token.expose()).unwrap().id(), [7; 16]);
        assert!(SecretToken::parse(TokenKind::Link, token.expose()).is_none());
        assert!(Token::parse(token.expose()).is_none());
        assert!(TokenKind::Session.is_meant(token.expose()));
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let key = PlainKey::mint("kss", "live", KeyId::random(&mut rng), &mut rng);
        assert!(!TokenKind::Session.is_meant(key.expose()));
        let shown = format!("{:?} {token:?}", SecretToken::parse(TokenKind::Session, token.expose()));
        assert_eq!(shown, "Some(SecretToken) PlainToken");
    }

    proptest! {
        #[test]
        fn any_change_of_one_character_is_caught(seed: u64, at in 0_usize..BYTES, to in "[ -~]") {
            let token = mint(seed);
            let mut changed = token.expose().to_owned();
            changed.replace_range(at..=at, &to);
            prop_assume!(changed != token.expose());
            prop_assert!(SecretToken::parse(TokenKind::Session, &changed).is_none());
        }

        #[test]
        fn any_text_is_refused_or_read_without_panic(text in "(kss_)?\\PC{0,80}") {
            let _ = SecretToken::parse(TokenKind::Session, &text);
        }
    }
}
