//! JSON in and out: the body is bounded in size and depth, and errors never repeat what was sent.

use crate::problem::{ApiProblem, ProblemCode};
use crate::rewording::reword;
use axum::body::Body;
use axum::extract::{FromRequest, OptionalFromRequest, Request};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};
use keystead_api::Objects;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::error::Category;

/// How deep lists and objects may stand in each other (CVE-2025-59043).
pub const DEPTH_MAX: usize = 32;

/// Bytes that are read where no `Front` has bounded the body before: the most that can be configured.
const BODY_BYTES_MAX: usize = 64 << 20;

/// Bytes that an answer's buffer begins with: a verdict fits.
const ANSWER_BYTES: usize = 512;

/// A JSON body: as an extractor what was sent, as an answer what to send.
#[derive(Debug, Clone, Copy)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = ApiProblem;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiProblem> {
        let (parts, body) = request.into_parts();
        let bytes = whole(body).await?;
        check_type(&parts.headers)?;
        parse(&bytes).map(Self)
    }
}

impl<T: DeserializeOwned, S: Send + Sync> OptionalFromRequest<S> for Json<T> {
    type Rejection = ApiProblem;

    /// `None` when there is no body.
    async fn from_request(request: Request, _: &S) -> Result<Option<Self>, ApiProblem> {
        let (parts, body) = request.into_parts();
        let bytes = whole(body).await?;
        if bytes.is_empty() {
            return Ok(None);
        }
        check_type(&parts.headers)?;
        parse(&bytes).map(|value| Some(Self(value)))
    }
}

async fn whole(body: Body) -> Result<Bytes, ApiProblem> {
    axum::body::to_bytes(body, BODY_BYTES_MAX)
        .await
        .map_err(|_| ApiProblem::new(ProblemCode::InvalidRequest, "The body could not be read to its end."))
}

/// Only `application/json`: a browser sends it to another origin only after that origin's consent.
fn check_type(headers: &HeaderMap) -> Result<(), ApiProblem> {
    let Some(value) = headers.get(CONTENT_TYPE) else {
        return Err(ApiProblem::new(ProblemCode::UnsupportedMediaType, "The body has no `Content-Type`."));
    };
    let essence = value.as_bytes().split(|byte| *byte == b';').next().unwrap_or_default();
    if essence.trim_ascii().eq_ignore_ascii_case(b"application/json") {
        return Ok(());
    }
    Err(ApiProblem::new(ProblemCode::UnsupportedMediaType, "The body is not declared as JSON."))
}

/// Reads one JSON value.
///
/// # Errors
/// `invalid_json` with line and column where it is no JSON or deeper than [`DEPTH_MAX`]; `invalid_field` with
/// the field's pointer where it is not a `T`. Neither repeats what was sent.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiProblem> {
    check_depth(bytes)?;
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    T::deserialize(Objects(&mut reader))
        .and_then(|value| reader.end().map(|()| value))
        .map_err(|error| refuse::<T>(bytes, &error))
}

fn check_depth(bytes: &[u8]) -> Result<(), ApiProblem> {
    // Most bodies have fewer openings than may stand in each other: counting them is much cheaper.
    let openings = bytes.iter().filter(|byte| matches!(byte, b'[' | b'{')).count();
    if openings <= DEPTH_MAX || depth_of(bytes) <= DEPTH_MAX {
        return Ok(());
    }
    let detail = format!("The body's lists and objects stand more than {DEPTH_MAX} deep in each other.");
    Err(ApiProblem::new(ProblemCode::InvalidJson, detail).with_fix("Send a flatter body."))
}

/// The greatest depth of brackets outside of strings, of anything that may be JSON.
fn depth_of(bytes: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut in_string, mut escaped) = (false, false);
    for byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                depth = depth.saturating_add(1);
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cold]
fn refuse<T: DeserializeOwned>(bytes: &[u8], error: &serde_json::Error) -> ApiProblem {
    let place = format!("(line {}, column {})", error.line(), error.column());
    match error.classify() {
        // Of these the texts are serde_json's constants; they hold nothing of the input.
        Category::Syntax | Category::Eof => {
            let text = error.to_string();
            let what = text.rfind(" at line ").and_then(|end| text.get(..end)).unwrap_or(&text);
            ApiProblem::new(ProblemCode::InvalidJson, format!("The body is not JSON: {what} {place}."))
        }
        Category::Data | Category::Io => {
            // Read a second time, only to learn the field's path.
            let mut reader = serde_json::Deserializer::from_slice(bytes);
            let Err(error) = serde_path_to_error::deserialize::<_, T>(Objects(&mut reader)) else {
                return ApiProblem::new(ProblemCode::InvalidJson, format!("The body is not valid {place}."));
            };
            let reworded = reword(&error.inner().to_string(), error.path());
            ApiProblem::new(ProblemCode::InvalidField, format!("{} {place}", reworded.detail))
                .with_fix(reworded.fix)
                .with_field(reworded.field)
        }
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        let mut bytes = Vec::with_capacity(ANSWER_BYTES);
        match serde_json::to_writer(&mut bytes, &self.0) {
            Ok(()) => {
                let mut response = Response::new(Body::from(bytes));
                let json = HeaderValue::from_static("application/json");
                response.headers_mut().insert(CONTENT_TYPE, json);
                response
            }
            Err(error) => ApiProblem::internal(error).into_response(),
        }
    }
}

#[cfg(test)]
mod tests;
