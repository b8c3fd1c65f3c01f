//! HTTP/1.1 by hand, blocking: requests are sent byte by byte as a case writes them.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;

/// How long anything may take before a test fails for good.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A message's head and body, as it came.
#[derive(Debug, Clone, Default)]
pub(crate) struct Message {
    /// The first line.
    pub(crate) first: String,
    /// Names in lower case, and values.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Message {
    /// Reads one; `None` when the connection ends before it begins.
    pub(crate) fn read(from: &mut impl BufRead, has_body: bool) -> Option<Self> {
        let mut message = Self { first: line(from)?, ..Self::default() };
        while let Some(line) = line(from).filter(|line| !line.is_empty()) {
            let (name, value) = line.split_once(':')?;
            message.headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        if has_body {
            message.body = message.read_body(from)?;
        }
        Some(message)
    }

    pub(crate) fn read_body(&self, from: &mut impl BufRead) -> Option<Vec<u8>> {
        let mut body = Vec::new();
        if self.header("transfer-encoding").is_some_and(|coding| coding.contains("chunked")) {
            loop {
                let size = usize::from_str_radix(line(from)?.split(';').next()?.trim(), 16).ok()?;
                let mut chunk = vec![0; size];
                from.read_exact(&mut chunk).ok()?;
                body.append(&mut chunk);
                let _ = line(from)?;
                if size == 0 {
                    return Some(body);
                }
            }
        }
        let length = self.header("content-length").map_or(0, |length| length.parse().unwrap_or(0));
        body.resize(length, 0);
        from.read_exact(&mut body).ok()?;
        Some(body)
    }

    /// The first value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(sent, _)| sent == name).map(|(_, value)| value.as_str())
    }

    /// An answer's status.
    pub(crate) fn status(&self) -> u16 {
        self.first.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
    }
}

fn line(from: &mut impl BufRead) -> Option<String> {
    let mut line = Vec::new();
    from.read_until(b'\n', &mut line).ok().filter(|read| *read > 0)?;
    Some(String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned())
}

/// A connection that is kept alive.
pub(crate) struct Wire(BufReader<TcpStream>);

impl Wire {
    pub(crate) fn to(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(BufReader::new(stream))
    }

    /// Sends a request and reads its answer; a status of 0 where the connection ended instead.
    pub(crate) fn send(
        &mut self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Message {
        let mut text = format!("{method} {target} HTTP/1.1\r\nHost: api.shop.example\r\n");
        headers.iter().for_each(|(name, value)| text.push_str(&format!("{name}: {value}\r\n")));
        if !body.is_empty() {
            text.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        text.push_str("\r\n");
        let mut bytes = text.into_bytes();
        bytes.extend_from_slice(body);
        // Who refuses early may close before all was sent.
        let _ = self.0.get_mut().write_all(&bytes);
        loop {
            let answer = Message::read(&mut self.0, method != "HEAD").unwrap_or_default();
            if !(100..200).contains(&answer.status()) {
                return answer;
            }
        }
    }
}

/// One request on a connection of its own.
pub(crate) fn send(port: u16, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Message {
    Wire::to(port).send(method, target, headers, body)
}
