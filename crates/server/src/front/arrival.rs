//! Bodies on their way in: each is bounded, and so is what all that are still arriving hold together.

use crate::problem::{ApiProblem, ProblemCode};
use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http::header::CONTENT_LENGTH;
use http_body::Body as _;
use http_body_util::BodyExt;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes that all arriving bodies may hold together; at least four of the largest fit.
const ARRIVING_BYTES_MAX: usize = 256 << 20;

/// Bytes that a body counts for before any of it has come, so that their number is bounded too.
const BODY_COST: usize = 4 << 10;

/// Reads bodies.
#[derive(Debug)]
pub(super) struct Arrivals {
    body_bytes_max: usize,
    bytes_max: usize,
    bytes: AtomicUsize,
}

impl Arrivals {
    pub(super) fn new(body_bytes_max: usize) -> Self {
        let bytes_max = ARRIVING_BYTES_MAX.max(body_bytes_max.saturating_mul(4));
        Self { body_bytes_max, bytes_max, bytes: AtomicUsize::new(0) }
    }

    /// The whole body. It is not copied when it came in one piece.
    pub(super) async fn read(&self, headers: &HeaderMap, mut body: Body) -> Result<Bytes, ApiProblem> {
        if body.is_end_stream() {
            return Ok(Bytes::new());
        }
        if headers.get(CONTENT_LENGTH).and_then(length).is_some_and(|length| length > self.body_bytes_max) {
            return Err(self.too_large());
        }
        let mut share = Share { arrivals: self, bytes: 0 };
        share.grow(BODY_COST)?;
        let first = next(&mut body).await?.unwrap_or_default();
        self.check(first.len())?;
        if body.is_end_stream() {
            return Ok(first);
        }
        share.grow(first.len())?;
        let mut all = BytesMut::from(first);
        while let Some(piece) = next(&mut body).await? {
            self.check(all.len().saturating_add(piece.len()))?;
            share.grow(piece.len())?;
            all.extend_from_slice(&piece);
        }
        Ok(all.freeze())
    }

    fn check(&self, bytes: usize) -> Result<(), ApiProblem> {
        if bytes <= self.body_bytes_max { Ok(()) } else { Err(self.too_large()) }
    }

    fn too_large(&self) -> ApiProblem {
        let detail = format!("The body is larger than {} bytes.", self.body_bytes_max);
        ApiProblem::new(ProblemCode::TooLarge, detail)
    }
}

fn length(value: &http::HeaderValue) -> Option<usize> {
    value.to_str().ok()?.parse().ok()
}

/// The next piece of data; trailers are skipped.
async fn next(body: &mut Body) -> Result<Option<Bytes>, ApiProblem> {
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| {
            ApiProblem::new(ProblemCode::InvalidRequest, "The body ended before all of it had come.")
        })?;
        if let Ok(data) = frame.into_data() {
            return Ok(Some(data));
        }
    }
    Ok(None)
}

/// What one body holds of what all may hold; given back when dropped.
struct Share<'a> {
    arrivals: &'a Arrivals,
    bytes: usize,
}

impl Share<'_> {
    fn grow(&mut self, bytes: usize) -> Result<(), ApiProblem> {
        self.bytes = self.bytes.saturating_add(bytes);
        let before = self.arrivals.bytes.fetch_add(bytes, Ordering::Relaxed);
        if before.saturating_add(bytes) <= self.arrivals.bytes_max {
            return Ok(());
        }
        Err(super::overloaded())
    }
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        self.arrivals.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;
    use futures_util::stream;

    fn pieces(pieces: Vec<&'static [u8]>) -> Body {
        Body::from_stream(stream::iter(
            pieces.into_iter().map(|piece| Ok::<_, std::io::Error>(Bytes::from(piece))),
        ))
    }

    #[tokio::test]
    async fn a_body_is_whole_whatever_pieces_it_comes_in() {
        let arrivals = Arrivals::new(8);
        for (body, whole) in [
            (Body::empty(), &b""[..]),
            (Body::from("12345678"), b"12345678"),
            (pieces(vec![b"123", b"", b"45678"]), b"12345678"),
            (pieces(vec![]), b""),
        ] {
            assert_eq!(arrivals.read(&HeaderMap::new(), body).await.unwrap(), whole);
        }
        assert_eq!(arrivals.bytes.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn a_body_is_refused_as_soon_as_it_is_too_large() {
        let arrivals = Arrivals::new(8);
        for body in [Body::from("123456789"), pieces(vec![b"12345", b"6789"])] {
            let problem = arrivals.read(&HeaderMap::new(), body).await.unwrap_err();
            assert_eq!(problem.code(), ProblemCode::TooLarge);
        }
        let announced = HeaderMap::from_iter([(CONTENT_LENGTH, http::HeaderValue::from(9))]);
        let silent = Body::from_stream(stream::pending::<std::io::Result<Bytes>>());
        let problem = arrivals.read(&announced, silent).now_or_never().unwrap().unwrap_err();
        assert_eq!(problem.code(), ProblemCode::TooLarge);
    }

    /// LESSONS 42 (CVE-2024-8185): memory exhaustion.
    #[tokio::test]
    async fn arriving_bodies_are_bounded_together_and_give_back_what_they_held() {
        let arrivals =
            Arrivals { body_bytes_max: 1 << 20, bytes_max: BODY_COST * 2, bytes: AtomicUsize::new(0) };
        let headers = HeaderMap::new();
        let silent = || Body::from_stream(stream::pending::<std::io::Result<Bytes>>());
        let mut first = Box::pin(arrivals.read(&headers, silent()));
        let mut second = Box::pin(arrivals.read(&headers, silent()));
        assert!((&mut first).now_or_never().is_none() && (&mut second).now_or_never().is_none());
        let refused = arrivals.read(&headers, Body::from("1")).await.unwrap_err();
        assert_eq!(refused.code(), ProblemCode::Overloaded);
        drop(first);
        assert!(arrivals.read(&headers, Body::from("1")).await.is_ok());
    }
}
