//! Public keys as authenticators write them: COSE_Key (RFC 9052 §7, RFC 9053), in the canonical CBOR of CTAP2. Only what
//! was asked for, and each label once: a key that could be read in two ways is none.

use crate::failure::Failure;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
    UnparsedPublicKey,
};
use minicbor::Decoder;
use minicbor::data::Type;

/// A modulus has 2,048 to 4,096 bits.
const MODULUS_BYTES: std::ops::RangeInclusive<usize> = 256..=512;
const EXPONENT_BYTES_MAX: usize = 4;
/// Labels of a key: its type, algorithm, curve and two coordinates.
const LABELS_MAX: u64 = 5;

/// With which algorithm a passkey signs; those that are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// Ed25519.
    EdDsa,
    /// RSA, PKCS #1 v1.5, with SHA-256.
    Rs256,
}

impl Algorithm {
    /// All, the preferred first.
    pub const ALL: [Self; 3] = [Self::EdDsa, Self::Es256, Self::Rs256];

    /// Its number in IANA's registry of COSE.
    #[must_use]
    pub const fn number(self) -> i64 {
        match self {
            Self::Es256 => -7,
            Self::EdDsa => -8,
            Self::Rs256 => -257,
        }
    }

    fn of(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.number() == number)
    }
}

/// A public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PublicKey<'a> {
    /// A point of P-256.
    Es256 {
        /// Its x.
        x: &'a [u8; 32],
        /// Its y.
        y: &'a [u8; 32],
    },
    /// An Ed25519 key.
    EdDsa(&'a [u8; 32]),
    /// An RSA key.
    Rs256 {
        /// Its modulus.
        n: &'a [u8],
        /// Its exponent.
        e: &'a [u8],
    },
}

/// The labels of a key, as far as they were seen.
#[derive(Default)]
struct Labels<'a> {
    kind: Option<i64>,
    algorithm: Option<i64>,
    minus_1: Option<Value<'a>>,
    minus_2: Option<&'a [u8]>,
    minus_3: Option<&'a [u8]>,
}

#[derive(Clone, Copy)]
enum Value<'a> {
    Number(i64),
    Bytes(&'a [u8]),
}

impl<'a> PublicKey<'a> {
    /// Reads one that is all of a text.
    ///
    /// # Errors
    /// When it is none.
    pub fn read(bytes: &'a [u8]) -> Result<Self, Failure> {
        let (key, taken) = Self::read_first(bytes)?;
        if taken == bytes.len() { Ok(key) } else { Err(Failure::PublicKey) }
    }

    /// Reads one at the beginning of a text; and its length.
    pub(crate) fn read_first(bytes: &'a [u8]) -> Result<(Self, usize), Failure> {
        let mut decoder = Decoder::new(bytes);
        let labels = labels(&mut decoder).ok_or(Failure::PublicKey)?;
        let algorithm = labels.algorithm.and_then(Algorithm::of).ok_or(Failure::Algorithm)?;
        let key = labels.key(algorithm).filter(Self::is_one).ok_or(Failure::PublicKey)?;
        Ok((key, decoder.position()))
    }

    /// Its algorithm.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        match self {
            Self::Es256 { .. } => Algorithm::Es256,
            Self::EdDsa(_) => Algorithm::EdDsa,
            Self::Rs256 { .. } => Algorithm::Rs256,
        }
    }

    /// Whether the library takes it: a point that is on its curve, a modulus that is long enough.
    fn is_one(&self) -> bool {
        match self {
            Self::Es256 { x, y } => ParsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point(x, y)).is_ok(),
            Self::EdDsa(key) => ParsedPublicKey::new(&ED25519, key).is_ok(),
            Self::Rs256 { n, e } => {
                let is_odd = |number: &[u8]| number.last().is_some_and(|byte| byte & 1 == 1);
                let is_canonical = |number: &[u8]| number.first().is_some_and(|byte| *byte != 0);
                MODULUS_BYTES.contains(&n.len())
                    && e.len() <= EXPONENT_BYTES_MAX
                    && [n, e].iter().all(|number| is_odd(number) && is_canonical(number))
                    && **e != [1]
            }
        }
    }

    /// Whether a signature of a message is this key's.
    ///
    /// # Errors
    /// [`Failure::Signature`].
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), Failure> {
        let verified = match self {
            Self::Es256 { x, y } => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point(x, y)).verify(message, signature)
            }
            Self::EdDsa(key) => UnparsedPublicKey::new(&ED25519, key).verify(message, signature),
            Self::Rs256 { n, e } => {
                RsaPublicKeyComponents { n, e }.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
            }
        };
        verified.map_err(|_| Failure::Signature)
    }
}

/// A point, uncompressed (SEC 1 §2.3.3).
fn point(x: &[u8; 32], y: &[u8; 32]) -> [u8; 65] {
    let mut point = [4; 65];
    let coordinates = x.iter().chain(y);
    point.iter_mut().skip(1).zip(coordinates).for_each(|(to, from)| *to = *from);
    point
}

impl<'a> Labels<'a> {
    fn key(&self, algorithm: Algorithm) -> Option<PublicKey<'a>> {
        Some(match (algorithm, self.kind?, self.minus_1?, self.minus_2?, self.minus_3) {
            (Algorithm::Es256, 2, Value::Number(1), x, Some(y)) => {
                PublicKey::Es256 { x: x.try_into().ok()?, y: y.try_into().ok()? }
            }
            (Algorithm::EdDsa, 1, Value::Number(6), x, None) => PublicKey::EdDsa(x.try_into().ok()?),
            (Algorithm::Rs256, 3, Value::Bytes(n), e, None) => PublicKey::Rs256 { n, e },
            _ => return None,
        })
    }
}

/// `None` when it is no such map, or a label is there twice or unknown.
fn labels<'a>(decoder: &mut Decoder<'a>) -> Option<Labels<'a>> {
    let count = decoder.map().ok()?.filter(|count| *count <= LABELS_MAX)?;
    let mut labels = Labels::default();
    for _ in 0..count {
        let is_new = match decoder.i64().ok()? {
            1 => labels.kind.replace(decoder.i64().ok()?).is_none(),
            3 => labels.algorithm.replace(decoder.i64().ok()?).is_none(),
            -1 => {
                let value = match decoder.datatype().ok()? {
                    Type::Bytes => Value::Bytes(decoder.bytes().ok()?),
                    _ => Value::Number(decoder.i64().ok()?),
                };
                labels.minus_1.replace(value).is_none()
            }
            -2 => labels.minus_2.replace(decoder.bytes().ok()?).is_none(),
            -3 => labels.minus_3.replace(decoder.bytes().ok()?).is_none(),
            _ => return None,
        };
        if !is_new {
            return None;
        }
    }
    Some(labels)
}
