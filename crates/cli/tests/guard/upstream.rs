//! The API that is guarded: it answers 200 to everything and remembers what reached it.

use crate::wire::{Message, PATIENCE};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;

/// The API.
pub(crate) struct Upstream {
    pub(crate) port: u16,
    shared: Arc<Shared>,
    began: Receiver<()>,
    go_on: Sender<()>,
}

struct Shared {
    seen: Mutex<Vec<Message>>,
    /// What streams is told of here, and waits here for its end.
    begins: Mutex<Sender<()>>,
    goes_on: Mutex<Receiver<()>>,
}

impl Upstream {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let ((begins, began), (go_on, goes_on)) = (channel(), channel());
        let shared =
            Shared { seen: Mutex::default(), begins: Mutex::new(begins), goes_on: Mutex::new(goes_on) };
        let shared = Arc::new(shared);
        let all = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&all);
                thread::spawn(move || serve(stream, &shared));
            }
        });
        Self { port, shared, began, go_on }
    }

    /// What reached it since it was asked last.
    pub(crate) fn take(&self) -> Vec<Message> {
        std::mem::take(&mut *self.shared.seen.lock().unwrap())
    }

    /// Whether the first piece of a body that streams has come.
    pub(crate) fn began(&self) -> bool {
        self.began.recv_timeout(PATIENCE).is_ok()
    }

    /// Has the answer to it end.
    pub(crate) fn go_on(&self) {
        self.go_on.send(()).unwrap();
    }
}

/// Tells of the body's first piece before its last has come, and answers in two. Says whether the
/// connection goes on, as the answer promises: a proxy may have put its next request on it already.
fn stream_both_ways(
    head: Message,
    from: &mut impl BufRead,
    answers: &mut TcpStream,
    shared: &Shared,
) -> bool {
    let end: &[u8] = if head.header("transfer-encoding").is_some() { b"\r\n0\r\n\r\n" } else { b"last!" };
    if !reads(from, b"first") {
        return false;
    }
    shared.begins.lock().unwrap().send(()).unwrap();
    if !reads(from, end) {
        return false;
    }
    shared.seen.lock().unwrap().push(head);
    let one = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n";
    answers.write_all(one.as_bytes()).unwrap();
    shared.goes_on.lock().unwrap().recv_timeout(PATIENCE).is_ok()
        && answers.write_all(b"3\r\ntwo\r\n0\r\n\r\n").is_ok()
}

/// Reads until this has come.
fn reads(from: &mut impl BufRead, wanted: &[u8]) -> bool {
    let (mut got, mut byte) = (Vec::new(), [0]);
    while !got.ends_with(wanted) {
        if from.read_exact(&mut byte).is_err() {
            return false;
        }
        got.push(byte[0]);
    }
    true
}

fn serve(stream: TcpStream, shared: &Shared) {
    let mut answers = stream.try_clone().unwrap();
    let mut from = BufReader::new(stream);
    while let Some(head) = Message::read(&mut from, false) {
        if head.header("expect").is_some_and(|expect| expect.eq_ignore_ascii_case("100-continue")) {
            let _ = answers.write_all(b"HTTP/1.1 100 Continue\r\n\r\n");
        }
        if head.target().ends_with("?stream") {
            if stream_both_ways(head, &mut from, &mut answers, shared) {
                continue;
            }
            return;
        }
        let Some(body) = head.read_body(&mut from) else { return };
        let is_head = head.first.starts_with("HEAD ");
        shared.seen.lock().unwrap().push(Message { body, ..head });
        let body = if is_head { "" } else { "ok" };
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Upstream: yes\r\n\r\n{body}");
        if answers.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}
