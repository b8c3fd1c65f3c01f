//! Sending signed checkpoints of the audit to another server.

use crate::exit::Failure;
use keystead_server::configuration::WebhookUrl;
use std::time::Duration;

/// How long one attempt may take.
const ATTEMPT_TIME_MAX: Duration = Duration::from_secs(10);
/// Pauses before the further attempts.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(10)];

/// Where checkpoints go. Its URL may hold a secret: it is never shown.
pub(super) struct Webhook {
    client: reqwest::Client,
    url: reqwest::Url,
    pauses: [Duration; 2],
}

impl Webhook {
    /// For this URL, which encrypts, or does not leave this machine.
    pub(super) fn new(url: &WebhookUrl, allow_plain_http: bool) -> Result<Self, Failure> {
        let refused = || {
            Failure::usage(
                "audit.checkpoint_webhook: this is no URL to which checkpoints may be sent.",
                "Write an https URL; http only to this machine, or with allow_plain_http.",
            )
        };
        let url = reqwest::Url::parse(url.expose()).map_err(|_| refused())?;
        let local = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        let passes = match url.scheme() {
            "https" => url.has_host(),
            "http" => url.has_host() && (local || allow_plain_http),
            _ => false,
        };
        let client = reqwest::Client::builder()
            .timeout(ATTEMPT_TIME_MAX)
            // Whoever answers there must not send the notes elsewhere.
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("keystead/", env!("CARGO_PKG_VERSION")))
            .build();
        match client {
            Ok(client) if passes => Ok(Self { client, url, pauses: PAUSES }),
            _ => Err(refused()),
        }
    }

    /// Whether it has the note; why not is logged, without its URL.
    pub(super) async fn take(&self, note: &str) -> bool {
        for pause in self.pauses.into_iter().map(Some).chain([None]) {
            let request =
                self.client.post(self.url.clone()).header("content-type", "text/plain; charset=utf-8");
            let status = match request.body(note.to_owned()).send().await {
                Ok(answer) if answer.status().is_success() => return true,
                Ok(answer) => answer.status().as_u16(),
                // Its text would name the URL.
                Err(_) => 0,
            };
            match pause {
                Some(pause) => tokio::time::sleep(pause).await,
                None => tracing::warn!(
                    status,
                    "a checkpoint of the audit could not be sent to its webhook, and is tried again; 0 is no answer"
                ),
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    #[test]
    fn only_urls_that_encrypt_or_stay_here_are_taken() {
        for url in
            ["https://log.example.com/x?token=a", "http://127.0.0.1:1/x", "http://[::1]/", "http://localhost"]
        {
            assert!(Webhook::new(&url.into(), false).is_ok(), "{url}");
        }
        for url in
            ["http://log.example.com/canary", "ftp://127.0.0.1/", "file:///etc/passwd", "canary", "https://"]
        {
            let refused = Webhook::new(&url.into(), false).err().unwrap();
            assert!(!format!("{refused:?}").contains("canary"), "{refused:?}");
        }
        assert!(Webhook::new(&"http://log.example.com/".into(), true).is_ok());
    }

    /// The first attempt is refused; a redirection is not followed; the note arrives as it was signed.
    #[tokio::test]
    async fn a_note_is_sent_until_it_is_taken() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/notes", listener.local_addr().unwrap());
        let webhook =
            Webhook { pauses: [Duration::ZERO; 2], ..Webhook::new(&url.as_str().into(), false).unwrap() };
        let sending = tokio::spawn(async move { webhook.take("keystead/org_a\n1\nAA==\n").await });
        let mut seen = Vec::new();
        for answer in ["500 No", "302 Found\r\nlocation: /elsewhere", "204 No Content"] {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"AA==\n") {
                assert_ne!(stream.read_buf(&mut request).await.unwrap(), 0);
            }
            let answer = format!("HTTP/1.1 {answer}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            stream.write_all(answer.as_bytes()).await.unwrap();
            seen.push(String::from_utf8(request).unwrap());
        }
        assert!(sending.await.unwrap());
        for request in seen {
            assert!(request.starts_with("POST /notes HTTP/1.1\r\n"), "{request}");
            assert!(request.ends_with("\r\n\r\nkeystead/org_a\n1\nAA==\n"), "{request}");
        }
    }
}
