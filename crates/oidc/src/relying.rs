//! Relying on providers: what they say of themselves and their keys, kept for a while, and asked again within a bound.

use crate::claims::Claims;
use crate::discovery::{Issuer, Metadata};
use crate::exchange::{self, Exchange};
use crate::failure::Failure;
use crate::fetch::{Bounds, Fetch};
use crate::id_token::{self, Expected, Unverified};
use crate::keys::{Keys, Set};
use keystead_domain::time::{Micros, SECOND};
use parking_lot::Mutex;
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::sync::Arc;

/// How long a configuration is believed.
const KEPT_MICROS: i64 = 600 * SECOND;
/// How often keys are asked for at most.
const KEYS_AGAIN_MICROS: i64 = 60 * SECOND;
/// How many providers are remembered.
const REMEMBERED_MAX: usize = 1_000;

#[derive(Debug, Default)]
struct Known {
    metadata: Option<(Arc<Metadata>, Micros)>,
    keys: Option<(Arc<Keys>, Micros)>,
}

/// What a try of a provider found.
#[derive(Debug)]
pub struct Found {
    /// Where people are sent.
    pub authorization_endpoint: String,
    /// With which algorithms it says that it signs.
    pub algorithms: Vec<String>,
    /// How many keys it signs with that can be used here.
    pub keys: usize,
}

/// Relies on providers.
#[derive(Debug)]
pub struct Relying {
    fetch: Fetch,
    bounds: Bounds,
    known: Mutex<HashMap<String, Known>>,
}

impl Relying {
    /// Within bounds.
    #[must_use]
    pub fn new(bounds: Bounds) -> Self {
        Self { fetch: Fetch::new(bounds), bounds, known: Mutex::default() }
    }

    /// Where it may look.
    #[must_use]
    pub const fn bounds(&self) -> Bounds {
        self.bounds
    }

    /// What a provider says of itself.
    ///
    /// # Errors
    /// When it cannot be asked, or what it says does not hold.
    pub async fn metadata(&self, issuer: &Issuer, now: Micros) -> Result<Arc<Metadata>, Failure> {
        let known = self.known.lock().get(issuer.as_str()).and_then(|known| known.metadata.clone());
        if let Some((metadata, at)) = known
            && (0..KEPT_MICROS).contains(&now.since(at))
        {
            return Ok(metadata);
        }
        let metadata = Arc::new(issuer.discover(&self.fetch).await?);
        self.remember(issuer, |known| known.metadata = Some((Arc::clone(&metadata), now)));
        Ok(metadata)
    }

    /// Asks a provider what a sign-in will need, whatever is remembered.
    ///
    /// # Errors
    /// As a sign-in would fail.
    pub async fn test(&self, issuer: &Issuer, now: Micros) -> Result<Found, Failure> {
        let metadata = Arc::new(issuer.discover(&self.fetch).await?);
        self.remember(issuer, |known| known.metadata = Some((Arc::clone(&metadata), now)));
        let keys = self.ask_keys(issuer, &metadata, now).await?;
        Ok(Found {
            authorization_endpoint: metadata.authorization_endpoint().to_string(),
            algorithms: metadata.algorithms().iter().take(32).cloned().collect(),
            keys: keys.len(),
        })
    }

    /// Gives a code for who signed in.
    ///
    /// # Errors
    /// When the provider cannot be asked, refuses, or what it says does not hold.
    pub async fn sign_in(
        &self,
        issuer: &Issuer,
        exchange: &Exchange<'_>,
        expected: &Expected<'_>,
        now: Micros,
    ) -> Result<Claims, Failure> {
        let metadata = self.metadata(issuer, now).await?;
        let tokens = exchange.give(&self.fetch, &metadata).await?;
        let text = tokens.id_token.as_ref().ok_or(Failure::Malformed("there is no ID token"))?;
        let said = self.signed(issuer, &metadata, text, now).await?;
        let mut claims = id_token::check(said, expected, now)?;
        if claims.lacks(exchange.groups_claim) {
            exchange::complete(&self.fetch, &metadata, &tokens, &mut claims).await?;
        }
        Ok(claims)
    }

    /// What a token says that one of the provider's keys signed. Where none did, the keys are asked for once more:
    /// providers change them.
    async fn signed(
        &self,
        issuer: &Issuer,
        metadata: &Metadata,
        text: &str,
        now: Micros,
    ) -> Result<Map<String, Value>, Failure> {
        let token = Unverified::read(text)?;
        let known = self.known.lock().get(issuer.as_str()).and_then(|known| known.keys.clone());
        if let Some((keys, at)) = known {
            if let Some(said) = token.signed_by(&keys) {
                return Ok(said);
            }
            if (0..KEYS_AGAIN_MICROS).contains(&now.since(at)) {
                return Err(Failure::IdToken("none of the provider's keys signed it"));
            }
        }
        let keys = self.ask_keys(issuer, metadata, now).await?;
        token.signed_by(&keys).ok_or(Failure::IdToken("none of the provider's keys signed it"))
    }

    async fn ask_keys(
        &self,
        issuer: &Issuer,
        metadata: &Metadata,
        now: Micros,
    ) -> Result<Arc<Keys>, Failure> {
        let set: Set = self.fetch.get(metadata.jwks_uri(), "its keys").await?;
        let keys = Arc::new(Keys::from(set));
        self.remember(issuer, |known| known.keys = Some((Arc::clone(&keys), now)));
        Ok(keys)
    }

    fn remember(&self, issuer: &Issuer, change: impl FnOnce(&mut Known)) {
        let mut known = self.known.lock();
        if known.len() >= REMEMBERED_MAX && !known.contains_key(issuer.as_str()) {
            known.clear();
        }
        change(known.entry(issuer.as_str().to_owned()).or_default());
    }
}
