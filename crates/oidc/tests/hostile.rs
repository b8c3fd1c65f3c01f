//! Providers that misbehave, as a certified one cannot be made to.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use keystead_domain::time::Micros;
use keystead_oidc::{Bounds, Exchange, Expected, Failure, Issuer, Relying};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const NOW: Micros = Micros(1_800_000_000_000_000);

/// A server that answers each path as it is told: whole answers, from the status line on.
struct Hostile {
    issuer: String,
    answers: Arc<Mutex<BTreeMap<String, String>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Hostile {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let (answers, asked) =
            (Arc::<Mutex<BTreeMap<String, String>>>::default(), Arc::<Mutex<Vec<String>>>::default());
        let (told, heard) = (Arc::clone(&answers), Arc::clone(&asked));
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = Vec::new();
                while !request.windows(4).any(|end| end == b"\r\n\r\n") {
                    if stream.read_buf(&mut request).await.unwrap_or(0) == 0 {
                        break;
                    }
                }
                let text = String::from_utf8_lossy(&request).into_owned();
                let path = text.split(' ').nth(1).unwrap_or_default().to_owned();
                heard.lock().unwrap().push(path.clone());
                let answer = told.lock().unwrap().get(&path).cloned();
                let answer =
                    answer.unwrap_or_else(|| "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n".into());
                // It may hang up on an answer that is too long.
                let _ = stream.write_all(answer.as_bytes()).await;
                let _ = stream.shutdown().await;
            }
        });
        let hostile = Self { issuer, answers, asked };
        hostile.configured(&hostile.issuer, "{}");
        hostile
    }

    fn answer(&self, path: &str, answer: String) {
        self.answers.lock().unwrap().insert(path.to_owned(), answer);
    }

    fn json(&self, path: &str, body: &str) {
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n";
        self.answer(path, format!("{head}content-length: {}\r\n\r\n{body}", body.len()));
    }

    /// Names itself so, with further members of the configuration.
    fn configured(&self, issuer: &str, more: &str) {
        let at = &self.issuer;
        let mut said = serde_json::json!({"issuer": issuer, "authorization_endpoint": format!("{at}/auth"),
            "token_endpoint": format!("{at}/token"), "jwks_uri": format!("{at}/keys")});
        let more: serde_json::Value = serde_json::from_str(more).unwrap();
        said.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.json("/.well-known/openid-configuration", &said.to_string());
    }

    fn issuer(&self) -> Issuer {
        Issuer::read("/issuer", &self.issuer, Bounds { private: true }).unwrap()
    }

    async fn test(&self) -> Result<(), Failure> {
        Relying::new(Bounds { private: true }).test(&self.issuer(), NOW).await.map(|_| ())
    }

    async fn sign_in(&self) -> Result<(), Failure> {
        let exchange = Exchange {
            client_id: "keystead",
            client_secret: Some("secret"),
            code: "code",
            verifier: "verifier",
            redirect_uri: "http://127.0.0.1/callback",
            groups_claim: None,
        };
        let expected = Expected { issuer: &self.issuer, client_id: "keystead", nonce: "n", again: false };
        let relying = Relying::new(Bounds { private: true });
        relying.sign_in(&self.issuer(), &exchange, &expected, NOW).await.map(|_| ())
    }

    fn was_asked(&self, path: &str) -> bool {
        self.asked.lock().unwrap().iter().any(|asked| asked == path)
    }
}

#[tokio::test]
async fn who_names_another_issuer_is_refused() {
    let hostile = Hostile::start().await;
    for other in ["https://accounts.example.com".to_owned(), format!("{}/", hostile.issuer), String::new()] {
        hostile.configured(&other, "{}");
        assert_eq!(hostile.test().await, Err(Failure::OtherIssuer), "{other}");
    }
}

/// LESSONS 39: a redirection carries a secret to another host.
#[tokio::test]
async fn a_redirection_is_not_followed_lessons_39() {
    let hostile = Hostile::start().await;
    let elsewhere = |status: &str| {
        format!("HTTP/1.1 {status}\r\nlocation: {}/elsewhere\r\ncontent-length: 0\r\n\r\n", hostile.issuer)
    };
    for status in ["301 Moved", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"] {
        hostile.answer("/keys", elsewhere(status));
        assert_eq!(hostile.test().await, Err(Failure::Answered), "{status}");
        hostile.answer("/token", elsewhere(status));
        assert_eq!(hostile.sign_in().await, Err(Failure::Answered), "{status}");
    }
    hostile.answer("/.well-known/openid-configuration", elsewhere("302 Found"));
    assert_eq!(hostile.test().await, Err(Failure::Answered));
    assert!(!hostile.was_asked("/elsewhere"));
}

/// Endpoints that the configuration names are looked at like the issuer.
#[tokio::test]
async fn endpoints_elsewhere_are_refused_lessons_40() {
    let hostile = Hostile::start().await;
    for name in ["authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint"] {
        for url in [
            "http://id.example.com/x",
            "http://169.254.169.254/latest",
            "ftp://127.0.0.1/",
            "javascript:alert(1)",
        ] {
            hostile.configured(&hostile.issuer, &serde_json::json!({ name: url }).to_string());
            assert_eq!(hostile.test().await, Err(Failure::NotAllowed), "{name}: {url}");
        }
    }
}

#[tokio::test]
async fn answers_are_bounded_and_read_as_json_only() {
    let hostile = Hostile::start().await;
    hostile.json("/keys", &format!("{{\"keys\": [], \"x\": \"{}\"}}", "x".repeat(300 << 10)));
    assert_eq!(hostile.test().await, Err(Failure::TooLarge));
    for body in ["", "<html>", "[]", "{\"keys\": 1}"] {
        hostile.json("/keys", body);
        assert!(matches!(hostile.test().await, Err(Failure::Malformed(_))), "{body}");
    }
    hostile.json("/keys", "{\"keys\": [1, {}, {\"kty\": \"RSA\"}]}");
    assert_eq!(hostile.test().await, Ok(()));
}

#[tokio::test]
async fn a_code_that_is_refused_says_whose_fault_it_is_and_no_more() {
    let hostile = Hostile::start().await;
    let refuse = |body: &str| {
        let head = "HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\n";
        hostile.answer("/token", format!("{head}content-length: {}\r\n\r\n{body}", body.len()));
    };
    for (body, failure) in [
        ("{\"error\": \"invalid_client\"}", Failure::Client),
        ("{\"error\": \"invalid_grant\", \"error_description\": \"<script>\"}", Failure::Code),
        ("{}", Failure::Answered),
        ("<html>", Failure::Answered),
    ] {
        refuse(body);
        assert_eq!(hostile.sign_in().await, Err(failure), "{body}");
    }
    hostile.json("/token", "{\"access_token\": \"a\"}");
    assert!(matches!(hostile.sign_in().await, Err(Failure::Malformed(_))));
    hostile.json("/token", "{\"id_token\": \"eyJhbGciOiJub25lIn0.e30.\"}");
    assert!(matches!(hostile.sign_in().await, Err(Failure::IdToken(_))));
}
