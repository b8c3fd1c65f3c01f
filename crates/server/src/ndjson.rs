//! Answers of one JSON line after the other, so that memory does not grow with their number.

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use http::HeaderValue;
use http::header::CONTENT_TYPE;
use keystead_service::Refused;
use serde::Serialize;

/// An answer of these pages of lines. A page that cannot be read breaks the connection off: an export must
/// not look whole when it is not.
pub(crate) fn answer<T: Serialize>(
    pages: impl Stream<Item = Result<Vec<T>, Refused>> + Send + 'static,
) -> Response {
    let bytes = pages.map(|page| page.map_err(std::io::Error::other).and_then(|page| lines(&page)));
    let mut response = Response::new(Body::from_stream(bytes));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"));
    response
}

fn lines<T: Serialize>(page: &[T]) -> std::io::Result<Bytes> {
    let mut bytes = Vec::new();
    for line in page {
        serde_json::to_writer(&mut bytes, line)?;
        bytes.push(b'\n');
    }
    Ok(bytes.into())
}
