//! `keystead keys rotate --due` against a server that refuses every rotation.

#![expect(clippy::unwrap_used, reason = "a test's helpers fail by panicking")]

use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};

fn due(id: &str) -> Value {
    json!({"state": "due", "due_at": "2026-01-01T00:00:00Z", "why": "It is old.", "key": {
        "id": id, "name": id, "start": "acme_live_", "project": "acme", "environment": "production",
        "kind": "private", "status": "active", "owner": {"kind": "service_account", "id": "sa_1", "name": "a"},
        "permissions": [], "roles": [], "restrictions": {}, "limits": [], "tags": [], "metadata": {},
        "created_at": "2025-01-01T00:00:00Z", "updated_at": "2025-01-01T00:00:00Z", "version": 1
    }})
}

/// Answers one request; tells the `Idempotency-Key` of one that is to change something.
fn answer(stream: TcpStream, named: &Sender<String>) {
    let mut reader = BufReader::new(stream);
    let (mut asks, mut length, mut line) = (false, 0, String::new());
    while reader.read_line(&mut line).unwrap() > 2 {
        match line.trim_end().split_once(": ") {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                length = value.parse().unwrap();
            }
            Some((name, value)) if name.eq_ignore_ascii_case("idempotency-key") => {
                named.send(value.to_owned()).unwrap();
            }
            _ => asks |= line.starts_with("GET "),
        }
        line.clear();
    }
    reader.read_exact(&mut vec![0; length]).unwrap();
    let (status, kind, body) = if asks {
        let page = json!({"items": [due("key_1"), due("key_2")], "next_cursor": null});
        ("200 OK", "application/json", page)
    } else {
        let problem = json!({"type": "urn:keystead:problem:conflict", "title": "Not now.", "status": 409,
            "code": "conflict", "detail": "It is in a rotation.", "fix": "End that.", "request_id": "req_1"});
        ("409 Conflict", "application/problem+json", problem)
    };
    let body = body.to_string();
    let head = format!("HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}", body.len());
    reader.get_mut().write_all(format!("{head}\r\nConnection: close\r\n\r\n{body}").as_bytes()).unwrap();
}

/// A server, as long as this process lives: its URL, and the names of what it was asked to change.
fn server() -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (named, names) = channel();
    std::thread::spawn(move || listener.incoming().for_each(|stream| answer(stream.unwrap(), &named)));
    (url, names)
}

#[test]
fn each_rotation_has_a_name_of_its_own_and_without_new_keys_there_is_no_file() {
    let (url, names) = server();
    let file = std::env::temp_dir().join(format!("keystead-rotate-due-{}", std::process::id()));
    let run = || {
        Command::new(env!("CARGO_BIN_EXE_keystead"))
            .args(["keys", "rotate", "--due", "--project", "acme", "--yes", "--idempotency-key", "mine"])
            .arg("--output")
            .arg(&file)
            .env_clear()
            .envs([("KEYSTEAD_URL", url.as_str()), ("KEYSTEAD_KEY", "canary")])
            .stdin(Stdio::null())
            .output()
            .unwrap()
    };
    // The second time the file must not stand in the way.
    for _ in 0..2 {
        let output = run();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(5), "{said}");
        assert!(said.contains("key_2 was not rotated"), "{said}");
        assert!(!file.exists(), "{said}");
        let asked: BTreeSet<_> = names.try_iter().collect();
        assert_eq!(asked, ["mine.0", "mine.1"].map(str::to_owned).into());
    }
}
