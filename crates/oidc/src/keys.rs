//! The keys that a provider signs with (RFC 7517), and which of them may have signed a token.

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Header};
use serde::Deserialize;
use serde_json::Value;

/// The most keys that are looked at.
const KEYS_MAX: usize = 100;

#[derive(Debug, Deserialize)]
pub(crate) struct Set {
    keys: Vec<Value>,
}

/// A provider's keys.
#[derive(Debug, Default)]
pub(crate) struct Keys(Vec<Jwk>);

impl From<Set> for Keys {
    /// Those that can be read: others may be for something else.
    fn from(set: Set) -> Self {
        let read = set.keys.into_iter().take(KEYS_MAX).filter_map(|key| serde_json::from_value(key).ok());
        Self(read.filter(signs).collect())
    }
}

impl Keys {
    pub(crate) const fn len(&self) -> usize {
        self.0.len()
    }

    /// The keys that may have signed what has this header: of its id where it names one, and made for its algorithm.
    /// A key that anybody knows never counts as a shared secret: the algorithm is of public keys only.
    pub(crate) fn fitting(&self, header: &Header) -> Vec<DecodingKey> {
        let named = |key: &&Jwk| header.kid.is_none() || key.common.key_id == header.kid;
        let fitting = self.0.iter().filter(named).filter(|key| fits(key, header.alg));
        fitting.filter_map(|key| DecodingKey::from_jwk(key).ok()).collect()
    }
}

fn signs(key: &Jwk) -> bool {
    matches!(key.common.public_key_use, None | Some(PublicKeyUse::Signature))
        && matches!(
            key.algorithm,
            AlgorithmParameters::RSA(_)
                | AlgorithmParameters::EllipticCurve(_)
                | AlgorithmParameters::OctetKeyPair(_)
        )
}

fn fits(key: &Jwk, algorithm: Algorithm) -> bool {
    let declared = key.common.key_algorithm.is_none_or(|own| own == KeyAlgorithm::from(algorithm));
    let made = match (&key.algorithm, algorithm) {
        (AlgorithmParameters::EllipticCurve(key), Algorithm::ES256) => key.curve == EllipticCurve::P256,
        (AlgorithmParameters::EllipticCurve(key), Algorithm::ES384) => key.curve == EllipticCurve::P384,
        (AlgorithmParameters::OctetKeyPair(key), Algorithm::EdDSA) => key.curve == EllipticCurve::Ed25519,
        (
            AlgorithmParameters::RSA(_),
            Algorithm::RS256
            | Algorithm::RS384
            | Algorithm::RS512
            | Algorithm::PS256
            | Algorithm::PS384
            | Algorithm::PS512,
        ) => true,
        _ => false,
    };
    declared && made
}
