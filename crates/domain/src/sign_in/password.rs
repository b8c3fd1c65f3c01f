//! Passwords: what may be chosen, and what is stored of one.

use super::breached::DIGEST_LEN;
use crate::invalid::Invalid;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::digest;
use std::fmt;
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

/// The fewest characters of a chosen password, unless the installation says otherwise.
pub const CHARACTERS_MIN: usize = 12;
/// The most characters of any.
pub const CHARACTERS_MAX: usize = 256;
/// Bytes of the salt.
pub const SALT_LEN: usize = 16;

/// The most common passwords of eight characters and more, in small letters: what is refused without a list of
/// the installation's own.
const COMMON: &str = include_str!("common_passwords.txt");

/// OWASP's choice for argon2id: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// What no password matches, at the cost of one: checked where there is no account, so that the answer takes
/// as long (CVE-2025-6011).
pub const NOBODYS: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5bm9ib2R5bm9ibw$WrTpFYXQY6pZu0K+uskWZwl8fOk0W4Dj/pXGXzJPsas";

/// A password in somebody's hands, in its one form: the same characters typed on two systems are one password
/// (NIST SP 800-63B §3.1.1.2: NFKC). It is wiped when dropped and cannot print itself.
#[derive(Clone)]
pub struct Password(Zeroizing<String>);

impl Password {
    /// One that is offered for a check.
    ///
    /// # Errors
    /// When it is empty or longer than any can be.
    pub fn offered(field: &str, text: &str) -> Result<Self, Invalid> {
        // Four bytes a character at most.
        if text.is_empty() || text.len() > 4 * CHARACTERS_MAX {
            return Err(Invalid::new(
                field,
                "This is empty, or longer than any password.",
                format!("Send 1 to {CHARACTERS_MAX} characters."),
            ));
        }
        let mut normal = Zeroizing::new(String::with_capacity(8 * text.len()));
        normal.extend(text.nfkc());
        Ok(Self(normal))
    }

    /// One that is chosen: `characters_min` to 256 characters of any kind, and none of `known`, which who
    /// guesses would try first.
    ///
    /// # Errors
    /// Says what of that does not hold, without repeating it.
    pub fn chosen(field: &str, text: &str, characters_min: usize, known: &[&str]) -> Result<Self, Invalid> {
        let password = Self::offered(field, text)?;
        let characters = password.0.chars().count();
        if !(characters_min..=CHARACTERS_MAX).contains(&characters) {
            return Err(Invalid::new(
                field,
                format!("This has {characters} characters."),
                format!("Choose {characters_min} to {CHARACTERS_MAX}, such as a few words."),
            ));
        }
        let first = password.0.chars().next();
        if password.0.chars().all(|c| Some(c) == first) {
            return Err(Invalid::new(
                field,
                "This is one character over and over.",
                "Choose a few words that do not belong together.",
            ));
        }
        let folded = Zeroizing::new(password.0.trim().to_lowercase());
        if known.iter().any(|known| *folded == known.to_lowercase()) {
            return Err(Invalid::new(
                field,
                "This is the account's e-mail address or a name of its organization.",
                "Choose a few words that others do not connect with you.",
            ));
        }
        if COMMON.lines().any(|common| *folded == common) {
            return Err(Invalid::new(
                field,
                "This is one of the most common passwords: it is among the first that are tried.",
                "Choose a few words that do not belong together.",
            ));
        }
        Ok(password)
    }

    /// What lists of passwords that others lost know it by.
    #[must_use]
    pub fn breach_digest(&self) -> [u8; DIGEST_LEN] {
        let digest = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, self.0.as_bytes());
        let mut bytes = [0; DIGEST_LEN];
        bytes.copy_from_slice(digest.as_ref());
        bytes
    }

    /// What is stored of it. Takes about 20 ms of a core and 19 MiB: never on a thread that serves.
    #[must_use]
    pub fn digest(&self, salt: &[u8; SALT_LEN]) -> Option<String> {
        let params = Params::new(MEMORY_KIB, PASSES, LANES, None).ok()?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        argon2
            .hash_password_with_salt(self.0.as_bytes(), salt)
            .ok()
            .map(|hash: PasswordHash| hash.to_string())
    }

    /// Whether `digest` was stored of it; costs as much.
    #[must_use]
    pub fn is_of(&self, digest: &str) -> bool {
        Argon2::default().verify_password(self.0.as_bytes(), digest).is_ok()
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offered(text: &str) -> Password {
        Password::offered("/password", text).unwrap()
    }

    #[test]
    fn a_password_is_known_by_its_digest_and_no_other_is() {
        let digest = offered("correct horse battery").digest(&[7; SALT_LEN]).unwrap();
        assert!(digest.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{digest}");
        assert!(offered("correct horse battery").is_of(&digest));
        assert!(!offered("correct horse batterz").is_of(&digest));
        assert!(!offered("correct horse battery ").is_of(&digest));
        // The same é, typed on two systems.
        let digest = offered("caf\u{e9} au lait").digest(&[7; SALT_LEN]).unwrap();
        assert!(offered("cafe\u{301} au lait").is_of(&digest));
        assert!(!format!("{:?}", offered("canary")).contains("canary"));
    }

    /// LESSONS 24: whether an account exists showed in the time.
    #[test]
    fn lesson_24_what_nobody_has_costs_as_much_as_what_somebody_has() {
        let digest = offered("correct horse battery").digest(&[7; SALT_LEN]).unwrap();
        let params = |text: &str| PasswordHash::new(text).unwrap().params.to_string();
        let length = |text: &str| PasswordHash::new(text).unwrap().hash.unwrap().len();
        assert_eq!((params(NOBODYS), length(NOBODYS)), (params(&digest), length(&digest)));
        assert!(!offered("nobody").is_of(NOBODYS));
    }

    #[test]
    fn what_may_be_chosen_has_a_length_and_is_not_what_everybody_knows() {
        let choose =
            |text: &str| Password::chosen("/password", text, 12, &["ada@example.com", "The Acme company"]);
        assert!(choose("twelve chars").is_ok());
        assert!(choose(&"é ".repeat(128)).is_ok());
        for text in [
            "",
            "eleven char",
            &"é ".repeat(129),
            "ADA@example.com",
            " the acme COMPANY ",
            "aaaaaaaaaaaaaa",
            "Qwerty123456",
        ] {
            let refused = choose(text).unwrap_err();
            assert!(refused.field == "/password" && (text.is_empty() || !refused.to_string().contains(text)));
        }
    }
}
