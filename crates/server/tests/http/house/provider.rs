//! A certified OpenID Connect provider on loopback, and a browser that signs people in there.

use super::House;
use bytes::Bytes;
use http::header::{COOKIE, LOCATION, SET_COOKIE};
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use keystead_domain::time::Clock;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Write;
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

/// The folder in which oidc-provider is; `cargo xtask test` installs it and says where.
const FOLDER: &str = "KEYSTEAD_TEST_OIDC_PROVIDER";
const PROGRAM: &str = include_str!("provider.mjs");

/// The port on which a program waits for its browser; nobody listens there.
pub(crate) const LOOPBACK_PORT: u16 = 5_555;

/// oidc-provider in a process of its own, whose clock stands still as the house's does.
#[derive(Debug)]
pub(crate) struct Provider {
    pub(crate) issuer: String,
    _child: Child,
    _program: tempfile::NamedTempFile,
}

impl Provider {
    /// Starts one, which the house may reach from now on; `None`, and a word, where it is not installed.
    pub(crate) async fn start(house: &mut House) -> Option<Self> {
        let Some(folder) = std::env::var_os(FOLDER) else {
            println!("not run: {FOLDER} is not set");
            return None;
        };
        let redirects =
            [format!("{}/v1/sign-in/oidc/callback", house.url()), "http://127.0.0.1/callback".into()];
        let begins = json!({
            "now": house.clock.now().0 / 1_000,
            "redirect_uris": redirects,
            "login": "ada",
            "accounts": {"ada": {"email": "ada@example.com", "email_verified": true, "name": "Ada Lovelace"}},
        });
        let mut program = tempfile::Builder::new().suffix(".mjs").tempfile().unwrap();
        program.write_all(PROGRAM.as_bytes()).unwrap();
        let mut command = Command::new("node");
        command.arg(program.path()).arg(folder).arg(begins.to_string());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let mut told = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = told.next_line().await.unwrap().unwrap();
        let told: Value = serde_json::from_str(&line).unwrap();
        let issuer = told["issuer"].as_str().unwrap().to_owned();
        house.reach_private_providers().await;
        Some(Self { issuer, _child: child, _program: program })
    }

    /// Changes what it says: who signs in next, and what is said of them.
    pub(crate) async fn set(&self, changes: Value) {
        let answer = self.send(Method::POST, "/control", &[], changes.to_string()).await;
        assert_eq!(answer.status(), 200);
    }

    /// Says something else of whoever signs in next.
    pub(crate) async fn says(&self, login: &str, claims: Value) {
        self.set(json!({"login": login, "accounts": {login: claims}})).await;
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Response<Incoming> {
        let host = self.issuer.strip_prefix("http://").unwrap();
        let stream = TcpStream::connect(host).await.unwrap();
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let mut request = Request::builder().method(method).uri(path).header("host", host);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        sender.send_request(request.body(Full::new(Bytes::from(body))).unwrap()).await.unwrap()
    }

    /// Follows a URL of this provider as a browser does that knows nobody yet, until it leads elsewhere: what it brings
    /// there.
    pub(crate) async fn visit(&self, url: &str) -> Back {
        let mut jar: BTreeMap<(String, String), String> = BTreeMap::new();
        let mut url = url.to_owned();
        for _ in 0..10 {
            let Some(path) = url.strip_prefix(&self.issuer) else { return Back::read(&url) };
            let sent = jar.iter().filter(|((_, at), _)| path.starts_with(at.as_str()));
            let sent: Vec<String> = sent.map(|((name, _), value)| format!("{name}={value}")).collect();
            let answer =
                self.send(Method::GET, path, &[(COOKIE.as_str(), &sent.join("; "))], String::new()).await;
            for set in answer.headers().get_all(SET_COOKIE) {
                let mut parts = set.to_str().unwrap().split("; ");
                let (name, value) = parts.next().unwrap().split_once('=').unwrap();
                let at = parts.find_map(|part| part.strip_prefix("path=")).unwrap_or("/");
                jar.insert((name.to_owned(), at.to_owned()), value.to_owned());
            }
            let Some(location) = answer.headers().get(LOCATION) else {
                let (status, body) =
                    (answer.status(), answer.into_body().collect().await.unwrap().to_bytes());
                panic!("{url}: {status}: {}", String::from_utf8_lossy(&body));
            };
            let location = location.to_str().unwrap();
            url = if location.starts_with('/') {
                format!("{}{location}", self.issuer)
            } else {
                location.into()
            };
        }
        panic!("too many redirections, at last to {url}")
    }
}

/// What a browser brings back.
#[derive(Debug, Clone)]
pub(crate) struct Back {
    pub(crate) url: String,
    pub(crate) query: BTreeMap<String, String>,
}

impl Back {
    fn read(url: &str) -> Self {
        let (at, query) = url.split_once('?').unwrap();
        let query = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        Self { url: at.to_owned(), query }
    }

    /// What a program sends on.
    pub(crate) fn finish(&self, flow: &str) -> Value {
        let of = |name: &str| self.query.get(name).cloned().unwrap_or_default();
        json!({"flow": flow, "state": of("state"), "code": of("code"), "iss": self.query.get("iss")})
    }
}
