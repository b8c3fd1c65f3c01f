//! A checkpoint: the tree's size and root, signed with Ed25519, in the form of C2SP's tlog-checkpoint and
//! signed-note, which other programs read.

use super::tree::Hash;
use crate::digest::Pepper;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fmt;
use std::str::FromStr;
use zeroize::Zeroizing;

/// Signed-note's number of Ed25519.
const ALGORITHM: u8 = 1;
/// The longest note that is read, in bytes.
pub const NOTE_BYTES_MAX: usize = 4_096;

/// What a tree was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Whose tree: `keystead/org_…`.
    pub origin: String,
    /// How many records it had.
    pub size: u64,
    /// Its root.
    pub root: Hash,
}

/// A note that is no checkpoint of the key, with why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidNote {
    /// It does not have the form.
    #[error("it is no checkpoint: three lines, an empty line, and a signature")]
    Form,
    /// Nobody of that name and key signed it.
    #[error("it is not signed with this key")]
    Unsigned,
}

/// What signs an installation's checkpoints.
pub struct Signer {
    pair: Ed25519KeyPair,
    public: [u8; 32],
}

impl Signer {
    /// The signer that belongs to a pepper: as secret as that, and in the same backups.
    #[must_use]
    pub fn of(pepper: &Pepper) -> Option<Self> {
        let seed: Zeroizing<[u8; 32]> = pepper.audit_seed();
        let pair = Ed25519KeyPair::from_seed_unchecked(seed.as_ref()).ok()?;
        let public = pair.public_key().as_ref().try_into().ok()?;
        Some(Self { pair, public })
    }

    /// What its signatures under this name are verified with.
    #[must_use]
    pub fn verifier(&self, name: &str) -> Verifier {
        Verifier::new(name, self.public)
    }

    /// The note of a checkpoint.
    #[must_use]
    pub fn sign(&self, checkpoint: &Checkpoint) -> String {
        let text = checkpoint.text();
        let verifier = self.verifier(&checkpoint.origin);
        let signature = [&verifier.hash[..], self.pair.sign(text.as_bytes()).as_ref()].concat();
        format!("{text}\n— {} {}\n", checkpoint.origin, STANDARD.encode(signature))
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signer")
    }
}

/// What verifies notes, as signed-note writes it: `name+hash+key`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verifier {
    name: String,
    hash: [u8; 4],
    public: [u8; 32],
}

impl Verifier {
    fn new(name: &str, public: [u8; 32]) -> Self {
        let named = [name.as_bytes(), b"\n", &[ALGORITHM], &public].concat();
        let mut hash = [0; 4];
        hash.iter_mut().zip(digest(&SHA256, &named).as_ref()).for_each(|(to, from)| *to = *from);
        Self { name: name.to_owned(), hash, public }
    }

    /// Whose signatures it verifies.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The text of a note that this key signed, its last line end included. Other signatures are ignored.
    ///
    /// # Errors
    /// When it is no note, or not signed so.
    pub fn open<'n>(&self, note: &'n str) -> Result<&'n str, InvalidNote> {
        if note.len() > NOTE_BYTES_MAX {
            return Err(InvalidNote::Form);
        }
        let (text, signatures) = note.rsplit_once("\n\n").ok_or(InvalidNote::Form)?;
        let text = note.get(..=text.len()).ok_or(InvalidNote::Form)?;
        let signatures = signatures.strip_suffix('\n').ok_or(InvalidNote::Form)?;
        let key = UnparsedPublicKey::new(&ED25519, self.public);
        for line in signatures.split('\n') {
            let (name, signature) =
                line.strip_prefix("— ").and_then(|rest| rest.split_once(' ')).ok_or(InvalidNote::Form)?;
            let signature = STANDARD.decode(signature).map_err(|_| InvalidNote::Form)?;
            let Some((hash, signature)) = signature.split_at_checked(4) else {
                return Err(InvalidNote::Form);
            };
            if name == self.name && hash == self.hash && key.verify(text.as_bytes(), signature).is_ok() {
                return Ok(text);
            }
        }
        Err(InvalidNote::Unsigned)
    }
}

impl fmt::Display for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = STANDARD.encode([&[ALGORITHM][..], &self.public].concat());
        write!(f, "{}+{:08x}+{key}", self.name, u32::from_be_bytes(self.hash))
    }
}

/// A text that is no verifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no verifier of the form name+hash+key")]
pub struct InvalidVerifier;

impl FromStr for Verifier {
    type Err = InvalidVerifier;

    fn from_str(text: &str) -> Result<Self, InvalidVerifier> {
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(_), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(InvalidVerifier);
        };
        let key = STANDARD.decode(key).map_err(|_| InvalidVerifier)?;
        let Some((&ALGORITHM, public)) = key.split_first() else { return Err(InvalidVerifier) };
        let verifier = Self::new(name, public.try_into().map_err(|_| InvalidVerifier)?);
        // The hash is of all the rest.
        if verifier.to_string() == text { Ok(verifier) } else { Err(InvalidVerifier) }
    }
}

impl Checkpoint {
    /// Whose tree an organization's is.
    #[must_use]
    pub fn origin(organization: crate::ids::OrganizationId) -> String {
        format!("keystead/{organization}")
    }

    /// Whether a line begins a note of such a tree: no other line of a note looks so.
    #[must_use]
    pub fn is_origin(line: &str) -> bool {
        line.starts_with("keystead/org_")
    }

    fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, STANDARD.encode(self.root))
    }

    /// Reads a note that this key signed.
    ///
    /// # Errors
    /// When it is not signed so, or says something else.
    pub fn open(note: &str, verifier: &Verifier) -> Result<Self, InvalidNote> {
        let checkpoint = Self::read(verifier.open(note)?)?;
        if checkpoint.origin == verifier.name { Ok(checkpoint) } else { Err(InvalidNote::Form) }
    }

    /// Reads a checkpoint's text. Lines after the third are extensions, which say nothing to us.
    fn read(text: &str) -> Result<Self, InvalidNote> {
        let mut lines = text.split('\n');
        let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next()) else {
            return Err(InvalidNote::Form);
        };
        let number: u64 = size.parse().map_err(|_| InvalidNote::Form)?;
        let root = STANDARD.decode(root).map_err(|_| InvalidNote::Form)?;
        let root = root.try_into().map_err(|_| InvalidNote::Form)?;
        if number.to_string() != size || origin.is_empty() {
            return Err(InvalidNote::Form);
        }
        Ok(Self { origin: origin.to_owned(), size: number, root })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The key and note of the examples of signed-note's reference implementation, in Go.
    #[test]
    fn notes_of_the_reference_are_read() {
        let key = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
        let verifier: Verifier = key.parse().unwrap();
        assert_eq!(verifier.to_string(), key);
        let text = "If you think cryptography is the answer to your problem,\n\
            then you don't know what your problem is.\n";
        let note = format!(
            "{text}\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
        );
        assert_eq!(verifier.open(&note), Ok(text));
        assert_eq!(verifier.open(&note.replace("answer", "Answer")), Err(InvalidNote::Unsigned));
        assert_eq!(verifier.open(&note.replace("— ", "- ")), Err(InvalidNote::Form));
        assert!(key.replace("c74f20a3", "c74f20a4").parse::<Verifier>().is_err());
    }

    #[test]
    fn a_checkpoint_is_read_as_it_was_signed_and_not_under_another_name_or_key() {
        let [signer, other] = [1, 2].map(|byte| Signer::of(&Pepper::new(1, &[byte; 32])).unwrap());
        let checkpoint = Checkpoint { origin: "keystead/org_a".into(), size: 1_000, root: [7; 32] };
        let note = signer.sign(&checkpoint);
        let verifier = signer.verifier("keystead/org_a");
        assert_eq!(Checkpoint::open(&note, &verifier), Ok(checkpoint.clone()));
        assert_eq!(verifier.to_string().parse(), Ok(verifier.clone()));
        for wrong in [other.verifier("keystead/org_a"), signer.verifier("keystead/org_b")] {
            assert_eq!(Checkpoint::open(&note, &wrong), Err(InvalidNote::Unsigned));
        }
        for changed in [note.replace("1000", "1001"), note.replace("1000", "01000")] {
            assert!(Checkpoint::open(&changed, &verifier).is_err());
        }
        // A signature of another key beside ours is no harm.
        let theirs = other.sign(&checkpoint);
        let both = format!("{note}{}", theirs.rsplit_once("\n\n").unwrap().1);
        assert_eq!(Checkpoint::open(&both, &verifier), Ok(checkpoint));
    }
}
