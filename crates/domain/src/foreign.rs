//! Keys that others issued: tokens of any form, of which only a digest was brought along.
//!
//! Nothing that came along is stored as it came. What a token is found by, and what proves it, are
//! HMACs under the pepper over a digest of the token, bound to the organization and to the key: a
//! stolen database verifies nothing, and one tenant's import tells nothing of another's keys.

use crate::digest::{Digest, Pepper};
use crate::ids::{KeyId, OrganizationId};
use aws_lc_rs::digest;
use std::fmt;
use zeroize::Zeroizing;

/// The longest token of another issuer, in bytes.
pub const TOKEN_BYTES_MAX: usize = 512;
/// The shortest token that can be imported in the clear, in bytes.
pub const PLAIN_BYTES_MIN: usize = 16;
/// Different characters that it must hold: fewer are a pattern, not chance.
const PLAIN_KINDS_MIN: usize = 8;
/// The shortest beginning by which a slow digest's token is found.
pub const PREFIX_BYTES_MIN: usize = 6;
/// The longest.
pub const PREFIX_BYTES_MAX: usize = 32;

/// Of what the HMACs of an imported key are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Form {
    /// The whole token: where it was known, or seen since.
    Token,
    /// Its SHA-256.
    Sha256,
    /// Its SHA-512.
    Sha512,
    /// A slow digest (bcrypt, argon2id), which must be computed anew for each token.
    Slow,
}

impl Form {
    /// Those that a token is looked for in, the likeliest first.
    pub const FAST: [Self; 3] = [Self::Token, Self::Sha256, Self::Sha512];

    /// Its stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
            Self::Slow => "slow",
        }
    }

    /// The form with that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Token, Self::Sha256, Self::Sha512, Self::Slow].into_iter().find(|form| form.name() == name)
    }
}

/// A token that may be another issuer's, in somebody's hands. It cannot print itself.
#[derive(Clone, Copy)]
pub struct ForeignToken<'a>(&'a str);

/// What of a token a [`Form`] digests.
pub enum Material<'a> {
    /// The token itself.
    Token(&'a str),
    /// A digest of it.
    Digest(digest::Digest),
}

impl AsRef<[u8]> for Material<'_> {
    fn as_ref(&self) -> &[u8] {
        match self {
            Self::Token(token) => token.as_bytes(),
            Self::Digest(digest) => digest.as_ref(),
        }
    }
}

impl<'a> ForeignToken<'a> {
    /// A token of 1 to [`TOKEN_BYTES_MAX`] visible ASCII characters.
    #[must_use]
    pub fn new(text: &'a str) -> Option<Self> {
        let fits = (1..=TOKEN_BYTES_MAX).contains(&text.len());
        (fits && text.bytes().all(|byte| byte.is_ascii_graphic())).then_some(Self(text))
    }

    /// What a form digests of it; of a slow form the token itself.
    #[must_use]
    pub fn material(&self, form: Form) -> Material<'a> {
        match form {
            Form::Token | Form::Slow => Material::Token(self.0),
            Form::Sha256 => Material::Digest(digest::digest(&digest::SHA256, self.0.as_bytes())),
            Form::Sha512 => Material::Digest(digest::digest(&digest::SHA512, self.0.as_bytes())),
        }
    }

    /// Whether it is too easily guessed to be let in: too short, or of too few characters.
    #[must_use]
    pub fn is_weak(&self) -> bool {
        let mut seen = 0_u128;
        for byte in self.0.bytes() {
            seen |= 1 << (byte & 0x7f);
        }
        self.0.len() < PLAIN_BYTES_MIN || (seen.count_ones() as usize) < PLAIN_KINDS_MIN
    }

    /// Its beginnings, by which keys with slow digests are found, the longest first: it says most.
    pub fn beginnings(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let token = self.0;
        (PREFIX_BYTES_MIN..=PREFIX_BYTES_MAX).rev().filter_map(move |length| token.get(..length))
    }

    /// All of it, for digesting.
    pub(crate) const fn expose(&self) -> &'a str {
        self.0
    }
}

impl fmt::Debug for ForeignToken<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ForeignToken")
    }
}

impl Pepper {
    /// What an imported key is found by within its organization.
    #[must_use]
    pub fn foreign_lookup(&self, organization: OrganizationId, form: Form, material: &[u8]) -> [u8; 32] {
        self.labelled(&[b"keystead imports", form.name().as_bytes(), b"/", &organization.0, material])
    }

    /// What proves an imported key.
    #[must_use]
    pub fn foreign_digest(
        &self,
        organization: OrganizationId,
        id: KeyId,
        form: Form,
        material: &[u8],
    ) -> Digest {
        let parts: [&[u8]; 6] =
            [b"keystead foreign", form.name().as_bytes(), b"/", &organization.0, id.as_bytes(), material];
        Digest::from_bytes(self.labelled(&parts))
    }

    /// What seals an imported slow digest: it must be at hand as it came, and not in the database.
    #[must_use]
    pub fn imports_key(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.labelled(&[b"keystead sealing of slow imports"]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lookup_and_a_digest_belong_to_one_organization_form_and_key() {
        let pepper = Pepper::new(1, &[7; 32]);
        let (one, other) = (OrganizationId([1; 16]), OrganizationId([2; 16]));
        let token = ForeignToken::new("sk_live_51Habcdefgh").unwrap();
        let lookup =
            |pepper: &Pepper, org, form| pepper.foreign_lookup(org, form, token.material(form).as_ref());
        let first = lookup(&pepper, one, Form::Sha256);
        assert_eq!(first, lookup(&pepper, one, Form::Sha256));
        assert_ne!(first, lookup(&pepper, other, Form::Sha256));
        assert_ne!(first, lookup(&pepper, one, Form::Sha512));
        assert_ne!(first, lookup(&Pepper::new(1, &[8; 32]), one, Form::Sha256));
        let id = |text: &[u8; 12]| KeyId::from_slice(text).unwrap();
        let digest = |id| pepper.foreign_digest(one, id, Form::Token, token.material(Form::Token).as_ref());
        assert!(digest(id(b"AAAAAAAAAAAA")).matches(&digest(id(b"AAAAAAAAAAAA"))));
        assert!(!digest(id(b"AAAAAAAAAAAA")).matches(&digest(id(b"AAAAAAAAAAAB"))));
    }

    #[test]
    fn what_is_too_long_or_holds_odd_characters_is_no_token() {
        for text in ["", "with space", "täst", "a\nb", &"a".repeat(513)] {
            assert!(ForeignToken::new(text).is_none(), "{text}");
        }
        assert!(ForeignToken::new(&"a".repeat(512)).is_some());
    }

    #[test]
    fn what_is_easily_guessed_is_weak() {
        for text in ["short", "0123456789abcde", "aaaaaaaaaaaaaaaaaaaaaaaa", "1212121212121212121212"] {
            assert!(ForeignToken::new(text).unwrap().is_weak(), "{text}");
        }
        assert!(!ForeignToken::new("0123456789abcdef").unwrap().is_weak());
    }
}
