//! Slow digests that others made of their keys: bcrypt and argon2id, as they came, with bounds on
//! what checking one may cost.

use crate::foreign::ForeignToken;
use argon2::password_hash::PasswordVerifier;
use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, Params};
use std::fmt;
use std::str::FromStr;
use zeroize::Zeroizing;

/// The longest slow digest, in bytes.
const BYTES_MAX: usize = 256;
/// The costliest bcrypt: about a second of one core.
const BCRYPT_COST_MAX: u32 = 14;
/// bcrypt reads no further: two tokens that differ only later have one digest.
const BCRYPT_TOKEN_BYTES_MAX: usize = 72;
/// The most memory of an argon2id, in KiB: 128 MiB.
const ARGON2_KIB_MAX: u32 = 131_072;
const ARGON2_PASSES_MAX: u32 = 10;
const ARGON2_LANES_MAX: u32 = 16;

/// A slow digest that can be checked within bounds. It cannot print itself.
#[derive(Clone)]
pub enum SlowDigest {
    /// `$2a$`, `$2b$`, `$2y$`.
    Bcrypt(Zeroizing<String>),
    /// `$argon2id$` in the PHC form.
    Argon2id(Zeroizing<String>),
}

impl SlowDigest {
    /// Reads one; `None` when it is none, or would cost more than the bounds to check.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        if text.len() > BYTES_MAX {
            return None;
        }
        if text.starts_with("$argon2id$") {
            let params = Params::try_from(&PasswordHash::new(text).ok()?).ok()?;
            let bounded = params.m_cost() <= ARGON2_KIB_MAX
                && params.t_cost() <= ARGON2_PASSES_MAX
                && params.p_cost() <= ARGON2_LANES_MAX;
            return bounded.then(|| Self::Argon2id(Zeroizing::new(text.to_owned())));
        }
        let parts = bcrypt::HashParts::from_str(text).ok()?;
        let bounded = (4..=BCRYPT_COST_MAX).contains(&parts.get_cost());
        bounded.then(|| Self::Bcrypt(Zeroizing::new(text.to_owned())))
    }

    /// Whether it is the token's. Takes up to seconds of a core: never on a thread that serves.
    #[must_use]
    pub fn is_of(&self, token: ForeignToken<'_>) -> bool {
        let token = token.expose().as_bytes();
        match self {
            Self::Bcrypt(text) => {
                token.len() <= BCRYPT_TOKEN_BYTES_MAX && bcrypt::verify(token, text).unwrap_or(false)
            }
            Self::Argon2id(text) => Argon2::default().verify_password(token, text.as_str()).is_ok(),
        }
    }

    /// As it came, to be sealed.
    #[must_use]
    pub fn expose(&self) -> &str {
        match self {
            Self::Bcrypt(text) | Self::Argon2id(text) => text,
        }
    }
}

impl fmt::Debug for SlowDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SlowDigest")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BCRYPT: &str = "$2b$04$abcdefghijklmnopqrstuu5Lo0g67CiD3M4RpN1BmBb4Crp5w7dbK";

    fn token(text: &str) -> ForeignToken<'_> {
        ForeignToken::new(text).unwrap()
    }

    #[test]
    fn a_slow_digest_knows_its_token_and_no_other() {
        let text = bcrypt::hash_with_salt("sk_live_0123456789", 4, [7; 16]).unwrap().to_string();
        let digest = SlowDigest::read(&text).unwrap();
        assert!(digest.is_of(token("sk_live_0123456789")));
        assert!(!digest.is_of(token("sk_live_0123456788")));
    }

    /// bcrypt ignores what follows its 72nd byte.
    #[test]
    fn bcrypt_does_not_take_a_longer_token_for_the_same() {
        let long = "a".repeat(72);
        let text = bcrypt::hash_with_salt(&long, 4, [7; 16]).unwrap().to_string();
        let digest = SlowDigest::read(&text).unwrap();
        assert!(digest.is_of(token(&long)));
        assert!(!digest.is_of(token(&format!("{long}b"))));
    }

    #[test]
    fn what_would_cost_too_much_is_refused() {
        assert!(SlowDigest::read(BCRYPT).is_some());
        let hash = "c29tZXNhbHRzb21lc2FsdA$WrTpFYXQY6pZu0K+uskWZwl8fOk0W4Dj/pXGXzJPsas";
        let argon2 = |params: &str| SlowDigest::read(&format!("$argon2id$v=19${params}${hash}")).is_some();
        assert!(argon2("m=65536,t=3,p=4"));
        for params in ["m=1048576,t=3,p=4", "m=65536,t=99,p=4", "m=65536,t=3,p=99"] {
            assert!(!argon2(params), "{params}");
        }
        for text in [
            "",
            "$2b$04$short",
            "$argon2i$v=19$m=65536,t=3,p=4$a$b",
            "plain",
            &BCRYPT.replace("$04$", "$15$"),
        ] {
            assert!(SlowDigest::read(text).is_none(), "{text}");
        }
    }
}
