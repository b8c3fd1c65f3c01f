//! Whether an ID token holds: who signed it, for whom, for which sign-in, and when (OpenID Connect Core 1.0 §3.1.3.7).

use crate::claims::{Claims, seconds};
use crate::failure::Failure;
use crate::keys::Keys;
use jsonwebtoken::{Algorithm, Header, Validation, decode, decode_header};
use keystead_domain::digest::equal;
use keystead_domain::time::{Micros, SECOND};
use serde_json::{Map, Value};

/// The longest that is looked at, in bytes.
const BYTES_MAX: usize = 64 << 10;
/// How far clocks may be apart, in seconds.
const LEEWAY: i64 = 60;
/// How long ago somebody who is asked again may have proved who they are, in seconds.
const AGAIN_SECONDS_MAX: i64 = 600;
/// The longest subject (Core 1.0 §2).
const SUBJECT_BYTES_MAX: usize = 255;

/// Public-key signatures only: with a shared secret, or none, whoever knows the public key or nothing could sign.
const ALGORITHMS: &[Algorithm] = &[
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];

/// What a token has to say.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// Who signed it.
    pub issuer: &'a str,
    /// For whom.
    pub client_id: &'a str,
    /// For which sign-in.
    pub nonce: &'a str,
    /// Whether the person was asked again.
    pub again: bool,
}

/// A token whose signature is still to be looked at.
pub(crate) struct Unverified<'a> {
    text: &'a str,
    header: Header,
}

impl<'a> Unverified<'a> {
    /// Reads its header.
    pub(crate) fn read(text: &'a str) -> Result<Self, Failure> {
        if text.len() > BYTES_MAX {
            return Err(Failure::IdToken("it is too long"));
        }
        let header = decode_header(text).map_err(|_| Failure::IdToken("its header cannot be read"))?;
        if !ALGORITHMS.contains(&header.alg) {
            return Err(Failure::IdToken("its algorithm is not taken"));
        }
        if header.crit.is_some() {
            return Err(Failure::IdToken("its header asks for what is not known here"));
        }
        Ok(Self { text, header })
    }

    /// What it says, when one of the keys signed it; `None` when no key did.
    pub(crate) fn signed_by(&self, keys: &Keys) -> Option<Map<String, Value>> {
        let mut validation = Validation::new(self.header.alg);
        // Claims are checked here, by a clock that is passed in.
        validation.required_spec_claims.clear();
        (validation.validate_exp, validation.validate_nbf, validation.validate_aud) = (false, false, false);
        keys.fitting(&self.header)
            .iter()
            .find_map(|key| Some(decode(self.text, key, &validation).ok()?.claims))
    }
}

/// Checks what a signed token says.
pub(crate) fn check(
    all: Map<String, Value>,
    expected: &Expected<'_>,
    now: Micros,
) -> Result<Claims, Failure> {
    let text = |claim: &str| all.get(claim).and_then(Value::as_str);
    let now = now.0.div_euclid(SECOND);
    let wrong = |why| Err(Failure::IdToken(why));
    if text("iss") != Some(expected.issuer) {
        return wrong("it is another issuer's");
    }
    if !is_for(&all, expected.client_id) {
        return wrong("it is for another client");
    }
    if !text("nonce").is_some_and(|nonce| equal(nonce.as_bytes(), expected.nonce.as_bytes())) {
        return wrong("it is of another sign-in");
    }
    if all.get("exp").and_then(seconds).is_none_or(|exp| now >= exp.saturating_add(LEEWAY)) {
        return wrong("it has expired");
    }
    if all.get("iat").and_then(seconds).is_none_or(|iat| iat > now.saturating_add(LEEWAY)) {
        return wrong("it is from the future");
    }
    let fresh =
        |at: i64| now.saturating_sub(at) <= AGAIN_SECONDS_MAX + LEEWAY && at <= now.saturating_add(LEEWAY);
    if expected.again && !all.get("auth_time").and_then(seconds).is_some_and(fresh) {
        return wrong("it does not say that the person was asked again");
    }
    let subject = text("sub").filter(|sub| {
        !sub.is_empty()
            && sub.len() <= SUBJECT_BYTES_MAX
            && sub.bytes().all(|byte| (b' '..=b'~').contains(&byte))
    });
    let subject = subject.ok_or(Failure::IdToken("it names nobody"))?.to_owned();
    Ok(Claims { subject, all })
}

/// Whether a token is for a client: in its audience, and the party that it was made for where that is said.
fn is_for(all: &Map<String, Value>, client_id: &str) -> bool {
    let (listed, several) = match all.get("aud") {
        Some(Value::String(one)) => (one == client_id, false),
        Some(Value::Array(many)) => (many.iter().any(|one| one == client_id), many.len() > 1),
        _ => (false, false),
    };
    let party = match all.get("azp") {
        None => !several,
        Some(party) => party == client_id,
    };
    listed && party
}

#[cfg(test)]
mod tests;
