//! Waiting for a browser on this machine's loopback (RFC 8252 §7.3): for one request that brings back what was asked
//! for, whatever else knocks meanwhile.

use crate::exit::Failure;
use reqwest::Url;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The most of a request that is read, in bytes.
const REQUEST_BYTES_MAX: usize = 16 << 10;
/// How long one request may take to arrive.
const REQUEST_TIME_MAX: Duration = Duration::from_secs(10);
/// How long the person may take at the provider.
const WAIT_MAX: Duration = Duration::from_secs(600);
/// How many connections are looked at.
const KNOCKS_MAX: usize = 1_000;

/// What a browser brought back.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Back {
    pub(super) code: Option<String>,
    pub(super) iss: Option<String>,
}

/// A port on which a browser is waited for.
pub(super) struct Loopback(TcpListener);

impl Loopback {
    pub(super) async fn listen() -> Result<(Self, u16), Failure> {
        let listening = async {
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            let port = listener.local_addr()?.port();
            Ok::<_, io::Error>((Self(listener), port))
        };
        listening.await.map_err(|error| {
            Failure::local(
                format!("127.0.0.1 cannot be listened on: {error}."),
                "Let the command listen there: the browser comes back to it.",
            )
        })
    }

    /// Waits for what belongs to `state`. What brings another state is somebody else's, and is left waiting for.
    pub(super) async fn wait(self, state: impl AsRef<str>) -> Result<Back, Failure> {
        let waiting = async {
            for _ in 0..KNOCKS_MAX {
                let Ok((stream, _)) = self.0.accept().await else { continue };
                if let Ok(Ok(Some(back))) =
                    tokio::time::timeout(REQUEST_TIME_MAX, hear(stream, state.as_ref())).await
                {
                    return Some(back);
                }
            }
            None
        };
        tokio::time::timeout(WAIT_MAX, waiting).await.ok().flatten().ok_or_else(|| {
            Failure::local(
                "The browser did not come back in time.",
                "Run the command again, and sign in there.",
            )
        })
    }
}

async fn hear(mut stream: TcpStream, state: &str) -> io::Result<Option<Back>> {
    let mut request = Vec::new();
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        if request.len() > REQUEST_BYTES_MAX || stream.read_buf(&mut request).await? == 0 {
            return Ok(None);
        }
    }
    let back = read(&request, state);
    let (status, text) = match &back {
        Some(Back { code: Some(_), .. }) => {
            ("200 OK", "Go back to the terminal. You may close this window.\n")
        }
        Some(_) => ("200 OK", "The provider did not let you in. You may close this window.\n"),
        None => ("404 Not Found", "There is nothing here.\n"),
    };
    let answer = format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/plain\r\nx-content-type-options: nosniff\r\n\
         cache-control: no-store\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{text}",
        text.len()
    );
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await?;
    Ok(back)
}

/// What a request brings, when it is `GET /callback` with that state.
fn read(request: &[u8], state: &str) -> Option<Back> {
    let line = request.split(|byte| *byte == b'\r').next()?;
    let mut words = str::from_utf8(line).ok()?.split(' ');
    let (Some("GET"), Some(path)) = (words.next(), words.next()) else { return None };
    let url = Url::parse(&format!("http://127.0.0.1{path}")).ok()?;
    if url.path() != "/callback" {
        return None;
    }
    let of = |wanted: &str| {
        let found = url.query_pairs().find(|(name, _)| name == wanted);
        found.map(|(_, value)| value.into_owned()).filter(|value| !value.is_empty())
    };
    (of("state")? == state).then(|| Back { code: of("code"), iss: of("iss") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_belongs_to_the_sign_in_is_read() {
        let back = |code: Option<&str>, iss: Option<&str>| Back {
            code: code.map(str::to_owned),
            iss: iss.map(str::to_owned),
        };
        let request = |line: &str| read(format!("{line}\r\nhost: x\r\n\r\n").as_bytes(), "s");
        let good = request("GET /callback?code=a%2Bb&state=s&iss=https%3A%2F%2Fid.example.com HTTP/1.1");
        assert_eq!(good, Some(back(Some("a+b"), Some("https://id.example.com"))));
        assert_eq!(request("GET /callback?error=access_denied&state=s HTTP/1.1"), Some(back(None, None)));
        for other in [
            "GET /callback?code=a&state=t HTTP/1.1",
            "GET /callback?code=a HTTP/1.1",
            "GET /callback/?code=a&state=s HTTP/1.1",
            "GET /favicon.ico HTTP/1.1",
            "POST /callback?code=a&state=s HTTP/1.1",
            "GET http://evil.example/callback?code=a&state=s HTTP/1.1",
            "",
        ] {
            assert_eq!(request(other), None, "{other}");
        }
    }

    #[tokio::test]
    async fn it_waits_through_whatever_else_knocks() {
        let (loopback, port) = Loopback::listen().await.unwrap();
        let waiting = tokio::spawn(loopback.wait("s"));
        let mut heard = Vec::new();
        for path in ["/favicon.ico", "/callback?code=evil&state=t", "/callback?code=good&state=s"] {
            let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            stream.write_all(format!("GET {path} HTTP/1.1\r\n\r\n").as_bytes()).await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            heard.push(answer.split(' ').nth(1).unwrap().to_owned());
        }
        assert_eq!(heard, ["404", "404", "200"]);
        assert_eq!(waiting.await.unwrap().unwrap(), Back { code: Some("good".into()), iss: None });
    }
}
