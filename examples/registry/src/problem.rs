//! How the registry says that something went wrong (RFC 9457), and how it reads what it is sent.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Why a request was not done.
#[derive(Debug, Serialize)]
pub(crate) struct Problem {
    status: u16,
    /// A stable name.
    pub(crate) code: &'static str,
    detail: String,
    /// What to do.
    fix: &'static str,
    #[serde(skip)]
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    pub(crate) fn new(
        status: StatusCode,
        code: &'static str,
        detail: impl Into<String>,
        fix: &'static str,
    ) -> Self {
        Self { status: status.as_u16(), code, detail: detail.into(), fix, headers: Vec::new() }
    }

    pub(crate) fn not_found(what: &str) -> Self {
        let detail = format!("There is {what}.");
        Self::new(StatusCode::NOT_FOUND, "not_found", detail, "Look at the lists for what there is.")
    }

    pub(crate) fn invalid(detail: impl Into<String>, fix: &'static str) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", detail, fix)
    }

    /// With a header; one that cannot stand in an answer is left out.
    pub(crate) fn with_header(mut self, name: HeaderName, value: &str) -> Self {
        self.headers.extend(HeaderValue::from_str(value).ok().map(|value| (name, value)));
        self
    }
}

impl IntoResponse for Problem {
    fn into_response(mut self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = std::mem::take(&mut self.headers);
        let mut response = (status, Json(self)).into_response();
        response.headers_mut().extend(headers);
        let problem = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, problem);
        response
    }
}

/// A JSON body.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let fix = "Send a small JSON object with the fields that the README names.";
        let bytes = Bytes::from_request(request, state).await;
        let bytes = bytes.map_err(|error| Problem::invalid(error.body_text(), fix))?;
        serde_json::from_slice(&bytes).map(Self).map_err(|error| Problem::invalid(error.to_string(), fix))
    }
}
