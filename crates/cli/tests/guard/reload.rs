//! Reloading the guards of the own proxy with SIGHUP while everything goes on.

use crate::house::{House, free_port};
use crate::upstream::Upstream;
use crate::wire::{Message, PATIENCE, Wire, send};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::thread;

/// What the log says of a reload, taken or refused.
pub(crate) const IN_FORCE: &str = "the guards that the configuration has now are in force";
const REFUSED: &str = "the guards before stay in force";

/// An API that says its name and what it got; what asks for it becomes a tunnel that echoes, or an answer that streams
/// what is uploaded meanwhile.
pub(crate) fn api(name: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || answer(stream, name));
        }
    });
    port
}

fn answer(stream: TcpStream, name: &str) {
    let mut answers = stream.try_clone().unwrap();
    let mut from = BufReader::new(stream);
    while let Some(head) = Message::read(&mut from, false) {
        let begins = [
            (
                "upgrade",
                "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
            ),
            ("x-echo", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
        ];
        if let Some((_, begin)) = begins.iter().find(|(name, _)| head.header(name).is_some()) {
            answers.write_all(begin.as_bytes()).unwrap();
            let mut line = Vec::new();
            while from.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
                let _ = answers.write_all(&line);
                line.clear();
            }
            return;
        }
        let Some(body) = head.read_body(&mut from) else { return };
        let text = told(name, &body);
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{text}", text.len());
        if answers.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

/// What it says of a body.
fn told(name: &str, body: &[u8]) -> String {
    let sum = body.iter().fold(7_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(*byte)));
    format!("{name} {} {sum}", body.len())
}

/// Nothing tells that it holds in another way.
pub(crate) fn until(holds: impl Fn() -> bool) {
    while !holds() {
        thread::yield_now();
    }
}

/// What a guard is told beside its address and where it leads.
pub(crate) fn guard(listen: u16, upstream: u16, more: &str) -> String {
    format!(
        "[[guard]]\nlisten = \"127.0.0.1:{listen}\"\nupstreams = [\"http://127.0.0.1:{upstream}\"]\n\
         project = \"shop\"\nenvironment = \"live\"\n{more}\n"
    )
}

impl House {
    fn count(&self, said: &str) -> usize {
        self.log().matches(said).count()
    }

    /// Has it read this configuration; what the log says then.
    pub(crate) fn reload(&self, configuration: &str, expected: &str) -> String {
        fs::write(self.path("keystead.toml"), configuration).unwrap();
        let (before, length) = (self.count(IN_FORCE) + self.count(REFUSED), self.log().len());
        let server = self.server.as_ref().unwrap().0.id().to_string();
        assert!(Command::new("kill").args(["-HUP", &server]).status().unwrap().success());
        until(|| self.log().ends_with('\n') && self.count(IN_FORCE) + self.count(REFUSED) > before);
        let said = self.log()[length..].to_owned();
        assert!(said.contains(expected), "{expected} is not what was said: {said}");
        said
    }
}

/// Clients that never rest: each checks every answer, on one connection that is never closed.
struct Load {
    port: u16,
    key: String,
    stop: AtomicBool,
    done: [AtomicU64; CLIENTS],
    wrong: Mutex<Vec<String>>,
}

const CLIENTS: usize = 8;

impl Load {
    fn client(&self, number: usize) {
        let mut wire = Wire::to(self.port);
        let headers = [("X-API-Key", self.key.as_str())];
        let body: Vec<u8> = (0..700_000_u32).map(|at| u8::try_from(at % 251).unwrap()).collect();
        while !self.stop.load(SeqCst) {
            let (method, body) = if number < 2 { ("POST", &body[..]) } else { ("GET", &[][..]) };
            let answer = wire.send(method, "/v1/orders", &headers, body);
            let text = String::from_utf8_lossy(&answer.body).into_owned();
            if answer.status() != 200 || ![told("a", body), told("b", body)].contains(&text) {
                self.wrong.lock().unwrap().push(format!("{method}: {answer:?}"));
                return;
            }
            self.done[number].fetch_add(1, SeqCst);
        }
    }

    fn tunnel(&self) {
        let mut stream = tunnel(self.port, &self.key);
        let mut said = 0;
        while !self.stop.load(SeqCst) {
            if echo(&mut stream, said) != Some(said) {
                self.wrong.lock().unwrap().push(format!("a tunnel, after {said}"));
                return;
            }
            said += 1;
            self.done[CLIENTS - 1].fetch_add(1, SeqCst);
        }
    }

    /// Waits until each has sent at least two whole requests from now on.
    fn goes_on(&self) {
        let before = self.done.each_ref().map(|done| done.load(SeqCst));
        until(|| {
            let ahead = |(done, before): (&AtomicU64, u64)| done.load(SeqCst) >= before + 3;
            !self.wrong.lock().unwrap().is_empty() || self.done.iter().zip(before).all(ahead)
        });
        assert!(self.wrong.lock().unwrap().is_empty(), "{:?}", self.wrong.lock().unwrap());
    }
}

pub(crate) fn tunnel(port: u16, key: &str) -> BufReader<TcpStream> {
    begun(port, "GET", &format!("Connection: Upgrade\r\nUpgrade: websocket\r\nX-API-Key: {key}\r\n"), 101)
}

/// A connection whose request has been answered so, and goes on.
pub(crate) fn begun(port: u16, method: &str, headers: &str, status: u16) -> BufReader<TcpStream> {
    let mut stream = BufReader::new(TcpStream::connect(("127.0.0.1", port)).unwrap());
    stream.get_ref().set_read_timeout(Some(PATIENCE)).unwrap();
    let ask = format!("{method} /v1/orders HTTP/1.1\r\nHost: a\r\n{headers}\r\n");
    stream.get_mut().write_all(ask.as_bytes()).unwrap();
    let head = Message::read(&mut stream, false).unwrap();
    assert_eq!(head.status(), status, "{head:?}");
    stream
}

pub(crate) fn echo(stream: &mut BufReader<TcpStream>, number: u64) -> Option<u64> {
    stream.get_mut().write_all(format!("{number}\n").as_bytes()).ok()?;
    let mut line = String::new();
    stream.read_line(&mut line).ok()?;
    line.trim().parse().ok()
}

#[test]
fn reloads_under_load_lose_no_request_and_no_connection() {
    let (a, b, nobody) = (api("a"), api("b"), Upstream::start());
    let mut house = House::start(&nobody);
    let (key, _) = house.issue(&["--permission", "orders.*"]);
    let (own, second) = (house.own, free_port());
    house.reload(&guard(own, a, ""), "\"kept\":1");
    let load = Load {
        port: own,
        key: key.clone(),
        stop: AtomicBool::new(false),
        done: Default::default(),
        wrong: Mutex::default(),
    };
    let headers = [("X-API-Key", key.as_str())];
    let mut kept = Wire::to(own);
    let before = nobody.take().len();
    thread::scope(|threads| {
        for number in 0..CLIENTS - 1 {
            let load = &load;
            threads.spawn(move || load.client(number));
        }
        threads.spawn(|| load.tunnel());
        load.goes_on();
        for round in 0..12 {
            let (name, upstream) = if round % 2 == 0 { ("b", b) } else { ("a", a) };
            let more = format!("answer_seconds_max = {}\nbody_bytes_max = {}", 30 + round, 800_000 + round);
            let mut text = guard(own, upstream, &more);
            if round % 2 == 0 {
                text.push_str(&guard(second, upstream, ""));
            }
            house.reload(&text, &format!("\"added\":{}", u8::from(round % 2 == 0)));
            // The next request is for the new one, on a connection that was there before.
            let answer = kept.send("GET", "/v1/orders", &headers, b"");
            assert_eq!(String::from_utf8_lossy(&answer.body), told(name, b""), "round {round}");
            let large = kept.send("POST", "/v1/orders", &[headers[0], ("Content-Length", "900000")], b"");
            assert_eq!(large.status(), 413, "{large:?}");
            kept = Wire::to(own);
            load.goes_on();
        }
        load.stop.store(true, SeqCst);
    });
    assert!(load.wrong.lock().unwrap().is_empty(), "{:?}", load.wrong.lock().unwrap());
    assert_eq!(nobody.take().len() - before, 0);
    house.server.take().unwrap().end();
}

#[test]
fn a_configuration_with_a_fault_changes_nothing() {
    let (a, b, nobody) = (api("a"), api("b"), Upstream::start());
    let mut house = House::start(&nobody);
    let (key, _) = house.issue(&["--permission", "orders.*"]);
    let headers = [("X-API-Key", key.as_str())];
    let (own, second) = (house.own, free_port());
    house.reload(&guard(own, a, ""), IN_FORCE);
    let mut kept = Wire::to(own);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().port();
    let certificate = format!("certificate = \"{0}\"\nkey = \"{0}\"", house.path("openapi.yaml").display());
    let changed = guard(own, b, "");
    for (fault, told_of) in [
        ("[[guard]]\n".to_owned(), "`guard.listen`: it is missing"),
        ("= nonsense".to_owned(), "keystead.toml"),
        ("[limits]\nnonsense = 1\n".to_owned(), "there is no setting"),
        (guard(taken, b, ""), "cannot be listened on"),
        (guard(second, b, "") + &guard(taken, b, ""), "cannot be listened on"),
        (guard(second, b, &certificate), "there is no certificate in PEM form"),
        (guard(second, b, "").replace("http://", "https://") + "ca_file = \"/nowhere\"\n", "/nowhere"),
    ] {
        let said = house.reload(&format!("{changed}{fault}"), REFUSED);
        assert!(said.contains(told_of), "{told_of}: {said}");
        let answer = kept.send("GET", "/v1/orders", &headers, b"");
        assert_eq!(String::from_utf8_lossy(&answer.body), told("a", b""), "{fault}");
        assert!(TcpStream::connect(("127.0.0.1", second)).is_err(), "{fault}");
    }
    let said = house.reload(&format!("{changed}[log]\nlevel = \"debug\"\n"), IN_FORCE);
    assert!(said.contains("\"settings\":\"log.level\""), "{said}");
    let answer = kept.send("GET", "/v1/orders", &headers, b"");
    assert_eq!(String::from_utf8_lossy(&answer.body), told("b", b""));
    house.server.take().unwrap().end();
}

#[test]
fn a_guard_that_is_gone_finishes_what_it_has() {
    let (a, nobody) = (api("a"), Upstream::start());
    let mut house = House::start(&nobody);
    let (key, _) = house.issue(&["--permission", "orders.*"]);
    let second = free_port();
    let both = guard(house.own, a, "") + &guard(second, a, "");
    house.reload(&both, "\"added\":1");
    let mut upload = BufReader::new(TcpStream::connect(("127.0.0.1", second)).unwrap());
    let head = "POST /v1/orders HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\nExpect: 100-continue\r\n";
    upload.get_mut().write_all(format!("{head}X-API-Key: {key}\r\n\r\n").as_bytes()).unwrap();
    // It is let through: the request is in work.
    assert_eq!(Message::read(&mut upload, false).unwrap().status(), 100);
    let mut carried = tunnel(second, &key);
    assert_eq!(echo(&mut carried, 1), Some(1));
    house.reload(&guard(house.own, a, ""), "\"removed\":1");
    until(|| TcpStream::connect(("127.0.0.1", second)).is_err());
    let counted = send(house.port, "GET", "/metrics", &[], b"");
    let counted = String::from_utf8(counted.body).unwrap();
    assert!(!counted.contains(&format!("127.0.0.1:{second}")), "{counted}");
    assert_eq!(echo(&mut carried, 2), Some(2));
    upload.get_mut().write_all(b"in parts").unwrap();
    let answer = Message::read(&mut upload, true).unwrap();
    assert_eq!(String::from_utf8_lossy(&answer.body), told("a", b"in parts"), "{answer:?}");
    assert_eq!(upload.read(&mut [0; 1]).unwrap(), 0, "its connection ends");
    drop(carried);
    house.reload(&both, "\"added\":1");
    let mut carried = tunnel(second, &key);
    assert_eq!(echo(&mut carried, 3), Some(3));
    let counted = send(house.port, "GET", "/metrics", &[], b"");
    let counted = String::from_utf8(counted.body).unwrap();
    for (name, labels, value) in [
        ("requests_total", ",status=\"1xx\"", 1),
        ("requests_total", ",status=\"5xx\"", 0),
        ("retries_total", "", 0),
        ("connections", "", 1),
        ("requests_in_flight", "", 1),
        ("tunnels", "", 1),
        ("upstream_failures_total", ",upstream=\"1\"", 0),
        ("upstream_healthy", ",upstream=\"1\"", 1),
    ] {
        let line = format!("keystead_proxy_{name}{{guard=\"127.0.0.1:{second}\"{labels}}} {value}");
        assert!(counted.lines().any(|counted| counted == line), "{line} is not in\n{counted}");
    }
    drop(carried);
    house.server.take().unwrap().end();
}
