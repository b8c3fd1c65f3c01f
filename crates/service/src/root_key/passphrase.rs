//! A root key that is a passphrase: stretched with Argon2id (RFC 9106), under a salt that stands in
//! the database, so that database and passphrase are enough.

use super::{RootKeyError, words};
use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use keystead_domain::seal::{RootKey, RootKeys};
use rand_core::Rng;
use std::fmt;
use std::str::FromStr;
use zeroize::Zeroizing;

/// Characters of the shortest passphrase: it is all that stands between a stolen database and its
/// secrets.
const CHARACTERS_MIN: usize = 12;

/// Begins a line that is a key as a root key file has it: who comes from a file gives both.
const KEY: &str = "key:";

/// How a passphrase is stretched, with its salt. It is no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stretch {
    memory_kib: u32,
    rounds: u32,
    lanes: u32,
    salt: [u8; 16],
}

impl Stretch {
    /// RFC 9106's second recommended option: 64 MiB, three rounds, four lanes.
    #[must_use]
    pub fn new(rng: &mut dyn Rng) -> Self {
        let mut salt = [0; 16];
        rng.fill_bytes(&mut salt);
        Self { memory_kib: 65_536, rounds: 3, lanes: 4, salt }
    }

    fn key(&self, passphrase: &str) -> Option<RootKey> {
        if let Some(word) = passphrase.strip_prefix(KEY) {
            return words::key(word.trim());
        }
        let params = Params::new(self.memory_kib, self.rounds, self.lanes, Some(32)).ok()?;
        let mut secret = Zeroizing::new([0; 32]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(passphrase.as_bytes(), &self.salt, secret.as_mut_slice())
            .ok()?;
        RootKey::new(&secret)
    }

    /// The keys of passphrases, one a line; the last one is current.
    pub(super) fn keys(&self, text: &str) -> Result<RootKeys, RootKeyError> {
        let refuse = |why: &str| RootKeyError::Source { from: "the passphrase", why: why.into() };
        let lines: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
        if lines.is_empty() || lines.len() > words::KEYS_MAX {
            return Err(refuse("give one passphrase a line, the current one last"));
        }
        let typed = |line: &&&str| !line.starts_with(KEY);
        if lines.iter().filter(typed).any(|line| line.chars().count() < CHARACTERS_MIN) {
            return Err(refuse("it is too short; use at least 12 characters, better six random words"));
        }
        let keys: Option<Vec<RootKey>> = lines.into_iter().map(|line| self.key(line)).collect();
        keys.and_then(words::ring).ok_or_else(|| refuse("it cannot be stretched on this machine"))
    }
}

impl fmt::Display for Stretch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let salt = STANDARD.encode(self.salt.as_slice());
        write!(f, "argon2id {} {} {} {salt}", self.memory_kib, self.rounds, self.lanes)
    }
}

impl FromStr for Stretch {
    type Err = RootKeyError;

    fn from_str(text: &str) -> Result<Self, RootKeyError> {
        let refuse = || RootKeyError::Source {
            from: "the passphrase",
            why: "the database does not hold how it is stretched".into(),
        };
        let words: Vec<&str> = text.split(' ').collect();
        let ["argon2id", memory_kib, rounds, lanes, salt] = words.as_slice() else { return Err(refuse()) };
        let number = |word: &str, max: u32| word.parse().ok().filter(|n| *n <= max).ok_or_else(refuse);
        Ok(Self {
            memory_kib: number(memory_kib, 1 << 21)?,
            rounds: number(rounds, 64)?,
            lanes: number(lanes, 64)?,
            salt: STANDARD.decode(salt).ok().and_then(|salt| salt.try_into().ok()).ok_or_else(refuse)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::ChaCha8Rng;
    use rand_core::SeedableRng;

    #[test]
    fn the_same_passphrase_and_salt_are_the_same_key() {
        let small = Stretch { memory_kib: 64, rounds: 1, lanes: 1, salt: [7; 16] };
        let id = |stretch: &Stretch, text: &str| stretch.keys(text).unwrap().current().id();
        let read: Stretch = small.to_string().parse().unwrap();
        assert_eq!(read, small);
        assert_eq!(id(&small, "correct horse battery\n"), id(&read, "correct horse battery"));
        assert_ne!(id(&small, "correct horse battery"), id(&small, "correct horse batterz"));
        let salted = Stretch { salt: [8; 16], ..small.clone() };
        assert_ne!(id(&small, "correct horse battery"), id(&salted, "correct horse battery"));
        let both = small.keys("an older passphrase\ncorrect horse battery").unwrap();
        assert_eq!((both.current().id(), both.iter().count()), (id(&small, "correct horse battery"), 2));
        assert!(small.keys("short").unwrap_err().to_string().contains("too short"));
        assert!(small.keys("\n").is_err());
        let moved = small.keys(&format!("key:{}\ncorrect horse battery", *words::word(&[1; 32]))).unwrap();
        assert_eq!(moved.iter().last().unwrap().id(), RootKey::new(&[1; 32]).unwrap().id());
    }

    #[test]
    fn a_new_one_has_its_own_salt_and_rfc_9106s_cost() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let (one, two) = (Stretch::new(&mut rng), Stretch::new(&mut rng));
        assert_ne!(one.salt, two.salt);
        assert_eq!((one.memory_kib, one.rounds, one.lanes), (65_536, 3, 4));
        for text in
            ["", "argon2id 1 1 1", "scrypt 1 1 1 AAAA", "argon2id 999999999 1 1 BwcHBwcHBwcHBwcHBwcHBw=="]
        {
            assert!(text.parse::<Stretch>().is_err());
        }
    }
}
