//! Versions of things: `ETag` on the way out, `If-Match` on the way in (RFC 9110 §13.1.1).

use crate::body::Json;
use crate::problem::{ApiProblem, ProblemCode};
use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use http::header::{ETAG, IF_MATCH, LOCATION};
use http::request::Parts;
use http::{HeaderValue, StatusCode};
use serde::Serialize;

/// The version that an edit expects; `None` when it takes any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct IfMatch(pub(crate) Option<i64>);

impl<S: Sync> FromRequestParts<S> for IfMatch {
    type Rejection = ApiProblem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiProblem> {
        let Some(value) = parts.headers.get(IF_MATCH) else { return Ok(Self(None)) };
        let text = value.to_str().unwrap_or_default().trim();
        if text == "*" {
            return Ok(Self(None));
        }
        let version = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text).parse();
        version.map(|version| Self(Some(version))).map_err(|_| {
            ApiProblem::new(ProblemCode::InvalidRequest, "The If-Match header names no version.").with_fix(
                "Send the `ETag` of the answer that you saw, such as \"3\", or leave the header out.",
            )
        })
    }
}

/// A thing with its version as `ETag`.
#[derive(Debug)]
pub(crate) struct Versioned<T>(pub(crate) i64, pub(crate) T);

impl<T: Serialize> IntoResponse for Versioned<T> {
    fn into_response(self) -> Response {
        let Self(version, thing) = self;
        let mut response = Json(thing).into_response();
        if let Ok(value) = HeaderValue::try_from(format!("\"{version}\"")) {
            response.headers_mut().insert(ETAG, value);
        }
        response
    }
}

/// A thing that was just made: 201 with where it is.
#[derive(Debug)]
pub(crate) struct Created<T> {
    /// Where it is.
    pub(crate) location: String,
    /// Its version.
    pub(crate) version: i64,
    /// The thing.
    pub(crate) thing: T,
}

impl<T: Serialize> IntoResponse for Created<T> {
    fn into_response(self) -> Response {
        let mut response = Versioned(self.version, self.thing).into_response();
        *response.status_mut() = StatusCode::CREATED;
        if let Ok(value) = HeaderValue::try_from(self.location) {
            response.headers_mut().insert(LOCATION, value);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(value: &str) -> Result<IfMatch, ApiProblem> {
        let request = http::Request::builder().header(IF_MATCH, value).body(()).unwrap();
        IfMatch::from_request_parts(&mut request.into_parts().0, &()).await
    }

    #[tokio::test]
    async fn a_version_is_read_and_nonsense_is_refused() {
        assert_eq!(read("\"3\"").await.unwrap(), IfMatch(Some(3)));
        assert_eq!(read("3").await.unwrap(), IfMatch(Some(3)));
        assert_eq!(read("*").await.unwrap(), IfMatch(None));
        assert_eq!(read("W/\"3\"").await.unwrap_err().code(), ProblemCode::InvalidRequest);
    }
}
