//! What stands where Keystead should, and answers as a test says.

use crate::wire::Message;
use std::io::{BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// It, and the questions that it was asked.
pub(crate) struct Fake {
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<Message>>>,
}

impl Fake {
    /// Hands each connection, after a whole question, to `answer`.
    pub(crate) fn start(answer: impl Fn(&mut TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (all, answer) = (Arc::clone(&asked), Arc::new(answer));
        thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let (all, answer) = (Arc::clone(&all), Arc::clone(&answer));
                thread::spawn(move || {
                    let mut from = BufReader::new(stream.try_clone().unwrap());
                    let Some(question) = Message::read(&mut from, true) else { return };
                    all.lock().unwrap().push(question);
                    answer(&mut stream);
                });
            }
        });
        Self { url, asked }
    }

    /// The same answer to everything, with the connection closed behind it.
    pub(crate) fn saying(answer: impl Into<Vec<u8>>) -> Self {
        let answer = answer.into();
        Self::start(move |stream| {
            // Who has read enough may hang up before all is written.
            let _ = stream.write_all(&answer);
        })
    }

    /// What it was asked since the last time.
    pub(crate) fn take(&self) -> Vec<Message> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }
}

/// An answer's bytes.
pub(crate) fn answer(status: u64, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {status} Said\r\nConnection: close\r\n");
    if status != 204 {
        head.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    headers.iter().for_each(|(name, value)| head.push_str(&format!("{name}: {value}\r\n")));
    [head.as_bytes(), b"\r\n", body].concat()
}

/// A verdict that lets pass.
pub(crate) fn valid() -> Vec<u8> {
    let body = br#"{"valid": true, "code": "valid", "key_id": "key_1", "permissions": [], "limits": [], "request_id": "r"}"#;
    answer(200, &[("Content-Type", "application/json")], body)
}
