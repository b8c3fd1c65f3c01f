//! Each request's own id: unguessable enough not to tell how many requests there are, but no secret.

use axum::extract::FromRequestParts;
use http::HeaderMap;
use http::request::Parts;
use keystead_domain::ids::RequestId;
use keystead_domain::token::Token;
use parking_lot::Mutex;
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use std::convert::Infallible;

/// The header that answers carry, and that clients may send their own in.
pub const HEADER: http::HeaderName = http::HeaderName::from_static("x-request-id");

/// Characters of the longest id of a client's own that is logged.
const FOREIGN_LEN_MAX: usize = 64;

/// Makes the ids.
#[derive(Debug)]
pub struct RequestIds(Mutex<ChaCha8Rng>);

impl RequestIds {
    /// Seeded from `rng`, once: the operating system in production.
    pub fn new<R: Rng + ?Sized>(rng: &mut R) -> Self {
        let mut seed = [0; 32];
        rng.fill_bytes(&mut seed);
        Self(Mutex::new(ChaCha8Rng::from_seed(seed)))
    }

    /// The next one.
    #[must_use]
    pub fn next(&self) -> RequestId {
        RequestId::random(&mut *self.0.lock())
    }
}

/// The id of the request in hand, for handlers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ThisRequest(pub RequestId);

impl<S: Send + Sync> FromRequestParts<S> for ThisRequest {
    type Rejection = Infallible;

    /// Of a request that did not come through `Front`, the id is all zeros.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get().copied().unwrap_or(Self(RequestId([0; 16]))))
    }
}

/// The client's own id, if it is safe to write into a log: it forges no line, and is no key in the wrong
/// header. It is never trusted for anything else.
pub(crate) fn foreign(headers: &HeaderMap) -> Option<&str> {
    let text = headers.get(HEADER)?.to_str().ok()?;
    let sane = (1..=FOREIGN_LEN_MAX).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
        && Token::parse(text).is_none();
    sane.then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use keystead_domain::ids::KeyId;
    use keystead_domain::token::PlainKey;

    #[test]
    fn ids_differ_and_follow_the_seed() {
        let ids = RequestIds::new(&mut ChaCha8Rng::seed_from_u64(1));
        let again = RequestIds::new(&mut ChaCha8Rng::seed_from_u64(1));
        let first = ids.next();
        assert_eq!(first, again.next());
        assert_ne!(first, ids.next());
    }

    /// LESSONS 32: a key in the wrong header reached the log.
    #[test]
    fn lesson_32_a_key_is_no_request_id() {
        let rng = &mut ChaCha8Rng::seed_from_u64(1);
        let key = PlainKey::mint("acme", "live", KeyId::random(rng), rng);
        let headers = HeaderMap::from_iter([(HEADER, HeaderValue::from_str(key.expose()).unwrap())]);
        assert_eq!(foreign(&headers), None);
    }

    #[test]
    fn a_foreign_id_that_could_forge_a_log_line_is_ignored() {
        for (text, sane) in
            [("abc-1.2_3", true), ("", false), ("a b", false), ("a\tb", false), ("a=\"b\"", false)]
        {
            let headers = HeaderMap::from_iter([(HEADER, HeaderValue::from_str(text).unwrap())]);
            assert_eq!(foreign(&headers).is_some(), sane, "{text}");
        }
        let headers = HeaderMap::from_iter([(HEADER, HeaderValue::from_str(&"a".repeat(65)).unwrap())]);
        assert_eq!(foreign(&headers), None);
    }
}
