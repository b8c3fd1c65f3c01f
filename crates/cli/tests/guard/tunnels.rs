//! What a request begins through the own proxy (a WebSocket, an answer that streams, an upload), and the life of its key.

use crate::house::House;
use crate::reload::{IN_FORCE, api, begun, echo, guard, tunnel, until};
use crate::upstream::Upstream;
use crate::wire::Message;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

/// LESSONS 1: a tunnel ends with its key, and one whose limit is used up goes on: to ask takes nothing.
#[test]
fn lesson_1_a_tunnel_ends_when_its_key_is_revoked_and_no_other() {
    ends_with_its_key(tunnel, echo, "a tunnel ends: its request would be refused now");
}

/// LESSONS 1: so does an answer that streams, as server-sent events and gRPC do.
#[test]
fn lesson_1_an_answer_that_streams_ends_when_its_key_is_revoked_and_no_other() {
    ends_with_its_key(streaming, piece, "an answer that streams ends: its request would be refused now");
}

/// What a key begins at a port.
type Begin = fn(u16, &str) -> BufReader<TcpStream>;
/// Says a number, and hears it again while that goes on.
type Say = fn(&mut BufReader<TcpStream>, u64) -> Option<u64>;

fn ends_with_its_key(begin: Begin, say: Say, told: &str) {
    let nobody = Upstream::start();
    let mut house = House::start(&nobody);
    house.reload(&guard(house.own, api("a"), ""), IN_FORCE);
    let (kept, _) = house.issue(&["--permission", "orders.*", "--limit", "default=1/1h"]);
    let (lost, id) = house.issue(&["--permission", "orders.*"]);
    let (mut stays, mut ends) = (begin(house.own, &kept), begin(house.own, &lost));
    assert_eq!((say(&mut stays, 1), say(&mut ends, 2)), (Some(1), Some(2)));
    house.run(&["keys", "revoke", &id, "--reason", "leaked"]);
    let mut said = 3;
    while say(&mut ends, said) == Some(said) {
        said += 1;
    }
    until(|| house.log().contains(told));
    assert_eq!(say(&mut stays, 1), Some(1));
    drop(stays);
    house.server.take().unwrap().end();
}

/// An upload that is answered with itself while it goes on.
fn streaming(port: u16, key: &str) -> BufReader<TcpStream> {
    begun(port, "POST", &format!("Transfer-Encoding: chunked\r\nX-Echo: 1\r\nX-API-Key: {key}\r\n"), 200)
}

/// What of a piece came back.
fn piece(stream: &mut BufReader<TcpStream>, number: u64) -> Option<u64> {
    let data = format!("{number}\n");
    stream.get_mut().write_all(format!("{:x}\r\n{data}\r\n", data.len()).as_bytes()).ok()?;
    let mut lines = [String::new(), String::new(), String::new()];
    for line in &mut lines {
        stream.read_line(line).ok()?;
    }
    lines[1].trim().parse().ok()
}

/// LESSONS 1: so does an upload that is not answered yet; who sends it is told why.
#[test]
fn lesson_1_an_upload_ends_when_its_key_is_revoked_and_no_other() {
    let upstream = Upstream::start();
    let mut house = House::start(&upstream);
    let upload = |key: &str| {
        let mut stream = BufReader::new(TcpStream::connect(("127.0.0.1", house.own)).unwrap());
        let head = format!("Host: a\r\nTransfer-Encoding: chunked\r\nX-API-Key: {key}\r\n\r\n");
        let begin = format!("POST /v1/orders?stream HTTP/1.1\r\n{head}5\r\nfirst\r\n");
        stream.get_mut().write_all(begin.as_bytes()).unwrap();
        assert!(upstream.began());
        stream
    };
    let (kept, _) = house.issue(&["--permission", "orders.*", "--limit", "default=1/1h"]);
    let (lost, id) = house.issue(&["--permission", "orders.*"]);
    let (mut stays, mut ends) = (upload(&kept), upload(&lost));
    house.run(&["keys", "revoke", &id, "--reason", "leaked"]);
    let refused = Message::read(&mut ends, false).unwrap();
    assert_eq!(refused.status(), 401, "{refused:?}");
    assert!(refused.header("www-authenticate").unwrap().contains("invalid_token"), "{refused:?}");
    assert!(String::from_utf8_lossy(&refused.read_body(&mut ends).unwrap()).contains("\"revoked\""));
    until(|| house.log().contains("a request ends before its answer: it would be refused now"));
    stays.get_mut().write_all(b"5\r\nlast!\r\n0\r\n\r\n").unwrap();
    assert_eq!(Message::read(&mut stays, false).unwrap().status(), 200);
    upstream.go_on();
    house.server.take().unwrap().end();
}
