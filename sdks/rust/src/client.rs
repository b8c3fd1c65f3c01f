//! The client: how a call is sent and its answer read.

use crate::builder::authorization;
use crate::{ApiKey, ClientBuilder, Error};
use keystead_api::Problem;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, IF_MATCH, RETRY_AFTER};
use reqwest::{Method, RequestBuilder, Response, Url};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;

/// All but RFC 3986's unreserved characters.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// One server and one key. Cheap to clone; clones share their connections.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    url: Url,
    key: Option<Arc<ApiKey>>,
    pub(crate) response_bytes_max: usize,
    pub(crate) retries_max: u32,
    pub(crate) idempotency_key: Option<Arc<str>>,
}

/// A whole answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The media type in small letters, without parameters.
    pub(crate) kind: String,
    /// Whether it is compressed, which is never asked for.
    is_encoded: bool,
    retry_after_seconds: Option<u64>,
    pub(crate) body: Vec<u8>,
}

impl Client {
    /// A client with default settings.
    ///
    /// # Errors
    /// As [`ClientBuilder::build`].
    pub fn new(url: impl Into<String>, key: impl Into<ApiKey>) -> Result<Self, Error> {
        Self::builder().url(url).key(key).build()
    }

    /// Settings to start from.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::new()
    }

    /// The server's base URL.
    #[must_use]
    pub fn url(&self) -> &str {
        self.url.as_str().trim_end_matches('/')
    }

    pub(crate) fn from_parts(
        http: reqwest::Client,
        url: Url,
        key: Option<ApiKey>,
        response_bytes_max: usize,
        retries_max: u32,
    ) -> Self {
        Self { http, url, key: key.map(Arc::new), response_bytes_max, retries_max, idempotency_key: None }
    }

    pub(crate) async fn get<T, Q>(&self, path: &[&str], query: &Q) -> Result<T, Error>
    where
        T: DeserializeOwned,
        Q: Serialize + Sync + ?Sized,
    {
        self.read(self.request(Method::GET, path)?.query(query)).await
    }

    /// A POST that only asks: each is a question of its own.
    pub(crate) async fn ask<T, B>(&self, path: &[&str], body: &B) -> Result<T, Error>
    where
        T: DeserializeOwned,
        B: Serialize + Sync,
    {
        self.read(self.request(Method::POST, path)?.json(body)).await
    }

    /// The same, without a body.
    pub(crate) async fn read_post<T: DeserializeOwned>(&self, path: &[&str]) -> Result<T, Error> {
        self.read(self.request(Method::POST, path)?).await
    }

    /// The same, answered with nothing.
    pub(crate) async fn tell<B: Serialize + Sync>(&self, path: &[&str], body: &B) -> Result<(), Error> {
        self.send(self.request(Method::POST, path)?.json(body)).await.map(drop)
    }

    /// A POST that changes something.
    pub(crate) async fn post<T, B>(&self, path: &[&str], body: &B) -> Result<T, Error>
    where
        T: DeserializeOwned,
        B: Serialize + Sync,
    {
        self.parse(&self.send_once(self.request(Method::POST, path)?.json(body)).await?)
    }

    /// The same, with another key in place of this client's.
    pub(crate) async fn post_as<T, B>(&self, key: &ApiKey, path: &[&str], body: &B) -> Result<T, Error>
    where
        T: DeserializeOwned,
        B: Serialize + Sync,
    {
        let headers = authorization(Some(key))?;
        self.parse(&self.send_once(self.request(Method::POST, path)?.headers(headers).json(body)).await?)
    }

    pub(crate) async fn post_nothing<T: DeserializeOwned>(&self, path: &[&str]) -> Result<T, Error> {
        self.parse(&self.send_once(self.request(Method::POST, path)?).await?)
    }

    pub(crate) async fn patch<T, B>(&self, path: &[&str], body: &B, if_match: Option<i64>) -> Result<T, Error>
    where
        T: DeserializeOwned,
        B: Serialize + Sync,
    {
        self.read(matching(self.request(Method::PATCH, path)?, if_match).json(body)).await
    }

    pub(crate) async fn put<T, B>(&self, path: &[&str], body: &B, if_match: Option<i64>) -> Result<T, Error>
    where
        T: DeserializeOwned,
        B: Serialize + Sync,
    {
        self.read(matching(self.request(Method::PUT, path)?, if_match).json(body)).await
    }

    pub(crate) async fn delete(&self, path: &[&str], if_match: Option<i64>) -> Result<(), Error> {
        self.send(matching(self.request(Method::DELETE, path)?, if_match)).await.map(drop)
    }

    /// Whether a probe answers 2xx; 503 means not.
    pub(crate) async fn probe(&self, path: &[&str]) -> Result<bool, Error> {
        let answer = self.exchange(self.request(Method::GET, path)?).await?;
        match answer.status {
            200..=299 => Ok(true),
            503 => Ok(false),
            _ => Err(self.refusal(&answer)),
        }
    }

    pub(crate) fn request(&self, method: Method, path: &[&str]) -> Result<RequestBuilder, Error> {
        let mut whole = self.url.path().trim_end_matches('/').to_owned();
        for segment in path {
            // These would be resolved away, and the call would reach another route.
            if matches!(*segment, "" | "." | "..") {
                return Err(Error::invalid(
                    "A name or id is empty, `.` or `..`.",
                    "Give the id, slug or name as a list shows it.",
                ));
            }
            whole.push('/');
            whole.extend(utf8_percent_encode(segment, ESCAPED));
        }
        let mut url = self.url.clone();
        url.set_path(&whole);
        Ok(self.http.request(method, url))
    }

    async fn read<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, Error> {
        self.parse(&self.send(request).await?)
    }

    fn parse<T: DeserializeOwned>(&self, answer: &Answer) -> Result<T, Error> {
        self.refuse_encoded(answer)?;
        serde_json::from_slice(&answer.body).map_err(|error| {
            // The place, not the text: serde's own message can repeat a value, even a new key.
            let place = format!("line {}, column {}", error.line(), error.column());
            self.protocol(answer.status, format!("its JSON is not as expected at {place}"))
        })
    }

    pub(crate) async fn send(&self, request: RequestBuilder) -> Result<Answer, Error> {
        let answer = self.exchange(request).await?;
        if (200..300).contains(&answer.status) { Ok(answer) } else { Err(self.refusal(&answer)) }
    }

    /// Sends a request whose answer is read as it arrives.
    pub(crate) async fn begin(&self, request: RequestBuilder) -> Result<Response, Error> {
        let response = request.send().await.map_err(|error| self.failure(&error))?;
        if response.status().is_success() {
            return Ok(response);
        }
        Err(self.refusal(&self.whole(response).await?))
    }

    pub(crate) async fn exchange(&self, request: RequestBuilder) -> Result<Answer, Error> {
        let response = request.send().await.map_err(|error| self.failure(&error))?;
        self.whole(response).await
    }

    async fn whole(&self, response: Response) -> Result<Answer, Error> {
        let status = response.status().as_u16();
        let kind = header(&response, CONTENT_TYPE.as_str()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let is_encoded = response
            .headers()
            .get_all(CONTENT_ENCODING)
            .iter()
            .any(|coding| !coding.is_empty() && !coding.as_bytes().eq_ignore_ascii_case(b"identity"));
        let retry_after_seconds =
            header(&response, RETRY_AFTER.as_str()).and_then(|value| value.parse().ok());
        let body = self.body(response).await?;
        Ok(Answer { status, kind, is_encoded, retry_after_seconds, body })
    }

    /// Reads at most the allowed size, whatever `Content-Length` claims.
    async fn body(&self, mut response: Response) -> Result<Vec<u8>, Error> {
        let status = response.status().as_u16();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.failure(&error))? {
            if chunk.len() > self.response_bytes_max.saturating_sub(body.len()) {
                let why = format!("it is larger than {} bytes", self.response_bytes_max);
                return Err(self.protocol(status, why));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    pub(crate) fn refuse_encoded(&self, answer: &Answer) -> Result<(), Error> {
        if answer.is_encoded {
            let why = "it is compressed, which was not asked for".to_owned();
            return Err(self.protocol(answer.status, why));
        }
        Ok(())
    }

    pub(crate) fn refusal(&self, answer: &Answer) -> Error {
        if answer.kind == "application/problem+json"
            && let Ok(mut problem) = serde_json::from_slice::<Problem>(&answer.body)
        {
            problem.status = answer.status;
            for text in [&mut problem.code, &mut problem.detail, &mut problem.fix, &mut problem.request_id] {
                self.hide_key(text);
            }
            let retry_after_seconds = answer.retry_after_seconds;
            return Error::Problem { problem: Box::new(problem), retry_after_seconds };
        }
        let why = if (300..400).contains(&answer.status) {
            format!(
                "HTTP status {}, a redirect, which is not followed; use the URL that it leads to",
                answer.status
            )
        } else {
            format!("HTTP status {} without a problem document", answer.status)
        };
        self.protocol(answer.status, why)
    }

    /// Takes this client's key out of a text, in case a server repeats it.
    pub(crate) fn hide_key(&self, text: &mut String) {
        if let Some(key) = &self.key
            && text.contains(key.expose())
        {
            *text = text.replace(key.expose(), "…");
        }
    }

    pub(crate) fn failure(&self, error: &reqwest::Error) -> Error {
        let url = self.url().to_owned();
        if error.is_builder() {
            return Error::invalid(
                format!("The call cannot be written: {}.", innermost(error)),
                "Check the values given.",
            );
        }
        let connected = !error.is_connect();
        if error.is_timeout() {
            Error::Timeout { url, connected }
        } else {
            Error::Unreachable { url, why: innermost(error), connected }
        }
    }

    pub(crate) fn protocol(&self, status: u16, why: String) -> Error {
        Error::Protocol { url: self.url().to_owned(), status, why }
    }
}

fn matching(request: RequestBuilder, version: Option<i64>) -> RequestBuilder {
    match version {
        Some(version) => request.header(IF_MATCH, format!("\"{version}\"")),
        None => request,
    }
}

fn header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    response.headers().get(name).and_then(|value| value.to_str().ok())
}

/// What the innermost cause says: `Connection refused (os error 111)`.
pub(crate) fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
