//! A small HTTP client that distrusts each answer: what must hold for all of them is asserted here.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, ETAG, LOCATION};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use serde_json::Value;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpStream;

/// What all callers of one house share.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    /// Where the house listens now.
    pub(crate) address: Mutex<Option<SocketAddr>>,
    /// The secret digits of every key that was shown: no other answer may hold them.
    pub(crate) secrets: Mutex<Vec<String>>,
}

/// Digits of a key after its public part: secret and checksum.
const HIDDEN_DIGITS: usize = 38;
/// Of these, the secret.
const SECRET_DIGITS: usize = 32;

/// The secret digits of a key.
pub(crate) fn secret_of(key: &str) -> &str {
    let from = key.len() - HIDDEN_DIGITS;
    &key[from..from + SECRET_DIGITS]
}

/// A caller with its key, or without.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    shared: Arc<Shared>,
    key: Option<String>,
}

impl Client {
    /// One with a key that was just shown to it.
    pub(crate) fn new(shared: &Arc<Shared>, key: &str) -> Self {
        shared.secrets.lock().push(secret_of(key).to_owned());
        Self { shared: Arc::clone(shared), key: Some(key.to_owned()) }
    }

    /// One that has none.
    pub(crate) fn without_key(shared: &Arc<Shared>) -> Self {
        Self { shared: Arc::clone(shared), key: None }
    }

    /// Somebody with another key in the same house.
    pub(crate) fn with_key(&self, key: &str) -> Self {
        Self::new(&self.shared, key)
    }

    /// Somebody with a text for a key that was never shown by the house.
    pub(crate) fn with_key_unchecked(&self, key: &str) -> Self {
        Self { shared: Arc::clone(&self.shared), key: Some(key.to_owned()) }
    }

    /// Its key.
    pub(crate) fn key(&self) -> &str {
        self.key.as_deref().unwrap()
    }

    /// What all callers share.
    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, None, &[]).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.call(Method::POST, path, Some(body), &[]).await
    }

    /// A POST without a body.
    pub(crate) async fn poke(&self, path: &str) -> Answer {
        self.call(Method::POST, path, None, &[]).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Answer {
        self.call(Method::PATCH, path, Some(body), &[]).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Answer {
        self.call(Method::PUT, path, Some(body), &[]).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.call(Method::DELETE, path, None, &[]).await
    }

    /// Any request, with the caller's key.
    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path).header("host", "keystead.test");
        if let Some(key) = &self.key {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        if body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = body.map_or_else(Bytes::new, |body| Bytes::from(body.to_string()));
        self.send(request.body(Full::new(body)).unwrap()).await
    }

    /// A request as it is, on a connection of its own.
    pub(crate) async fn send(&self, request: Request<Full<Bytes>>) -> Answer {
        let path = request.uri().path();
        let shows_a_key = *request.method() == Method::POST
            && (["/v1/organizations", "/v1/keys/mint", "/v1/sessions", "/v1/sessions/passkey/finish"]
                .contains(&path)
                || ["/keys", "/keys/batch", "/keys/bulk", "/reveal", "/rotate", "/redeem"]
                    .iter()
                    .any(|end| path.ends_with(end)));
        let address = self.shared.address.lock().unwrap();
        let stream = TcpStream::connect(address).await.unwrap();
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        let connection = tokio::spawn(connection);
        let (head, body) = sender.send_request(request).await.unwrap().into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        drop(sender);
        // The server may close first, with or without ceremony.
        let _ = connection.await;
        let answer = Answer::read(head.status, head.headers, &bytes);
        if !shows_a_key {
            answer.hides(&self.shared.secrets.lock());
        }
        answer
    }
}

/// What came back.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// The JSON that it holds; `null` when it holds none.
    pub(crate) body: Value,
    pub(crate) text: String,
}

impl Answer {
    fn read(status: StatusCode, headers: HeaderMap, bytes: &[u8]) -> Self {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        // The keys that are published are the one thing that anybody may keep.
        let is_published = headers.get(CONTENT_TYPE).is_some_and(|kind| kind == "application/jwk-set+json");
        let kept = if is_published { "public, max-age=60" } else { "no-store" };
        assert_eq!(headers["cache-control"], kept, "answers hold keys that nothing may keep");
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert!(headers["x-request-id"].to_str().unwrap().starts_with("req_"));
        Self { status, headers, body, text }
    }

    /// No secret that was shown once is shown again.
    fn hides(&self, secrets: &[String]) {
        let headers = format!("{:?}", self.headers);
        for secret in secrets {
            assert!(!self.text.contains(secret) && !headers.contains(secret), "a secret is shown again");
        }
        // LESSONS 10: neither is what it is compared with.
        assert!(!self.text.contains("digest") && !self.text.contains("pepper"), "{}", self.text);
    }

    /// 200 with its body.
    #[track_caller]
    pub(crate) fn ok(self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text);
        assert_eq!(self.headers[CONTENT_TYPE], "application/json");
        self.check_etag();
        self.body
    }

    /// 201 with its body, and where the thing is.
    #[track_caller]
    pub(crate) fn created(self) -> Value {
        assert_eq!(self.status, 201, "{}", self.text);
        let location = self.headers[LOCATION].to_str().unwrap();
        let id = self.body["id"].as_str().unwrap();
        assert!(location.starts_with("/v1/") && location.ends_with(id), "{location} is not where {id} is");
        assert!(self.headers.contains_key(ETAG));
        self.check_etag();
        self.body
    }

    /// 204 with nothing.
    #[track_caller]
    pub(crate) fn gone(self) {
        assert_eq!((self.status.as_u16(), self.text.as_str()), (204, ""));
    }

    /// What has a version has it as `ETag`.
    #[track_caller]
    fn check_etag(&self) {
        // A key that was found by its raw value is not what that address is.
        let is_found = self.body.get("own").is_some();
        if let Some(version) = self.body["version"].as_i64().filter(|_| !is_found) {
            assert_eq!(self.headers[ETAG], format!("\"{version}\""));
        }
    }

    /// A problem document, whole, with this status and code.
    #[track_caller]
    pub(crate) fn refused(self, status: u16, code: &str) -> Value {
        assert_eq!((self.status.as_u16(), self.body["code"].as_str()), (status, Some(code)), "{}", self.text);
        assert_eq!(self.headers[CONTENT_TYPE], "application/problem+json");
        assert_eq!(self.body["type"], format!("urn:keystead:problem:{code}"));
        assert_eq!(self.body["status"], status);
        for field in ["title", "detail", "fix"] {
            let text = self.body[field].as_str().unwrap();
            // Where JSON is wrong, line and column follow the sentence.
            assert!(text.ends_with(['.', '?', ')']) && text.len() > 10, "{field}: {text}");
        }
        assert_eq!(self.headers["x-request-id"], self.body["request_id"].as_str().unwrap());
        assert_eq!(self.headers.contains_key("www-authenticate"), status == 401);
        self.body
    }

    /// A problem that names the guardrails that do not allow it: each with where it comes from and the
    /// field.
    #[track_caller]
    pub(crate) fn guarded(self, expected: &[(&str, &str, &str)]) -> Value {
        let problem = self.refused(422, "guardrail_violated");
        let told: Vec<_> = problem["violations"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| {
                assert!(one["detail"].as_str().unwrap().ends_with('.'), "{one}");
                assert!(one["fix"].as_str().unwrap().ends_with('.'), "{one}");
                ["guardrail", "where", "field"].map(|field| one[field].as_str().unwrap())
            })
            .collect();
        let expected: Vec<_> =
            expected.iter().map(|(guardrail, from, field)| [*guardrail, *from, *field]).collect();
        assert_eq!(told, expected, "{problem}");
        assert_eq!(problem["field"], told[0][2]);
        problem
    }

    /// A problem that names the field that is wrong.
    #[track_caller]
    pub(crate) fn wrong_field(self, code: &str, field: &str) -> Value {
        let problem = self.refused(422, code);
        assert_eq!(problem["field"], field, "{problem}");
        problem
    }
}
