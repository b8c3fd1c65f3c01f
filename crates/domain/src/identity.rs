//! Signed identity: what tells an upstream whose request it has, as a JWT (RFC 7519) signed with Ed25519 (RFC 8037),
//! and which key signs when.

use crate::ids::SigningKeyId;
use crate::time::{DAY, Micros};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use std::fmt;
use zeroize::Zeroizing;

/// How long a key signs.
pub const SIGNS: i64 = 30 * DAY;
/// How long a key is published before it signs: nobody who keeps the published keys for a while meets one that is not
/// among them.
pub const PUBLISHED_BEFORE: i64 = DAY;
/// How long a key stays published after the next one signs: also a node that learns of that late is believed.
pub const PUBLISHED_AFTER: i64 = DAY;
/// More keys than these are never made. There are so many only where clocks jumped about.
pub const KEYS_MAX: usize = 8;

/// What signs identities.
pub struct IdentitySigner {
    id: SigningKeyId,
    pair: Ed25519KeyPair,
    public: [u8; 32],
    /// The header of all that it signs, as it stands there.
    header: Box<str>,
}

impl IdentitySigner {
    /// From a seed; `None` when the library refuses.
    #[must_use]
    pub fn new(id: SigningKeyId, seed: &Zeroizing<[u8; 32]>) -> Option<Self> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed.as_ref()).ok()?;
        let public = pair.public_key().as_ref().try_into().ok()?;
        let header = format!(r#"{{"alg":"EdDSA","typ":"JWT","kid":"{id}"}}"#);
        Some(Self { id, pair, public, header: URL_SAFE_NO_PAD.encode(header).into() })
    }

    /// Its id, the `kid` of what it signs.
    #[must_use]
    pub const fn id(&self) -> SigningKeyId {
        self.id
    }

    /// What its signatures are verified with.
    #[must_use]
    pub const fn public(&self) -> &[u8; 32] {
        &self.public
    }

    /// A JWT that says this, in its compact form.
    ///
    /// # Errors
    /// When the claims are none.
    pub fn sign(&self, claims: &impl Serialize) -> Result<String, serde_json::Error> {
        let mut token = format!("{}.{}", self.header, URL_SAFE_NO_PAD.encode(serde_json::to_vec(claims)?));
        let signature = self.pair.sign(token.as_bytes());
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature.as_ref(), &mut token);
        Ok(token)
    }
}

impl fmt::Debug for IdentitySigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IdentitySigner({})", self.id)
    }
}

/// A published key (RFC 8037 §2).
#[derive(Debug, Serialize)]
pub struct PublishedKey {
    kty: &'static str,
    crv: &'static str,
    x: String,
    kid: String,
    #[serde(rename = "use")]
    used_for: &'static str,
    alg: &'static str,
}

impl PublishedKey {
    /// A key as it is published.
    #[must_use]
    pub fn new(id: SigningKeyId, public: &[u8; 32]) -> Self {
        Self {
            kty: "OKP",
            crv: "Ed25519",
            x: URL_SAFE_NO_PAD.encode(public),
            kid: id.to_string(),
            used_for: "sig",
            alg: "EdDSA",
        }
    }
}

/// Which of the keys that sign from these instants on, in their order, signs now. `None` only when there are none: before
/// the first one's time, which is where a clock stepped back, the last one does.
#[must_use]
pub fn signing(starts: &[Micros], now: Micros) -> Option<usize> {
    let begun = starts.partition_point(|start| *start <= now);
    begun.checked_sub(1).or_else(|| starts.len().checked_sub(1))
}

/// From when on a key signs that has to be made now; `None` when none has to be made yet. Only the very first one signs
/// at once.
#[must_use]
pub fn next(starts: &[Micros], now: Micros) -> Option<Micros> {
    let Some(signing) = signing(starts, now).and_then(|at| starts.get(at)) else { return Some(now) };
    let due = if *signing <= now { signing.plus(SIGNS) } else { now };
    let published = now.plus(PUBLISHED_BEFORE);
    if due > published || starts.len() >= KEYS_MAX {
        return None;
    }
    let is_there = starts.iter().any(|start| *start > now && *start <= soon(now));
    (!is_there).then_some(published)
}

/// Which of the keys are over: published for no longer.
#[must_use]
pub fn over(starts: &[Micros], now: Micros) -> Vec<usize> {
    let Some(signing) = signing(starts, now) else { return Vec::new() };
    let mut over: Vec<usize> = starts
        .iter()
        .skip(1)
        .enumerate()
        .filter(|(at, next)| *at < signing && **next <= now && next.plus(PUBLISHED_AFTER) <= now)
        .map(|(at, _)| at)
        .collect();
    if starts.len() - over.len() >= KEYS_MAX {
        // A clock that jumped far ahead made it.
        let far = |(at, start): &(usize, &Micros)| *at != signing && **start > soon(now);
        over.extend(starts.iter().enumerate().rfind(far).map(|(at, _)| at));
    }
    over
}

/// A key that begins to sign until then is the next one, though the clock has stepped back a little since it was made: else each
/// such step would make another.
const fn soon(now: Micros) -> Micros {
    now.plus(2 * PUBLISHED_BEFORE)
}

#[cfg(test)]
mod tests;
