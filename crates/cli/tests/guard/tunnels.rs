//! WebSocket and answers that stream through the own proxy, and the life of the key that began them.

use crate::house::House;
use crate::reload::{IN_FORCE, api, echo, guard, tunnel, until};
use crate::upstream::Upstream;
use crate::wire::{Message, PATIENCE};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

/// LESSONS 1: a tunnel ends with its key, and one whose limit is used up goes on: to ask takes nothing.
#[test]
fn lesson_1_a_tunnel_ends_when_its_key_is_revoked_and_no_other() {
    let nobody = Upstream::start();
    let mut house = House::start(&nobody);
    house.reload(&guard(house.own, api("a"), ""), IN_FORCE);
    let (kept, _) = house.issue(&["--permission", "orders.*", "--limit", "default=1/1h"]);
    let (lost, id) = house.issue(&["--permission", "orders.*"]);
    let (mut stays, mut ends) = (tunnel(house.own, &kept), tunnel(house.own, &lost));
    assert_eq!((echo(&mut stays, 1), echo(&mut ends, 2)), (Some(1), Some(2)));
    house.run(&["keys", "revoke", &id, "--reason", "leaked"]);
    let mut said = 3;
    while echo(&mut ends, said) == Some(said) {
        said += 1;
    }
    until(|| house.log().contains("a tunnel ends: its request would be refused now"));
    assert_eq!(echo(&mut stays, 1), Some(1));
    drop(stays);
    house.server.take().unwrap().end();
}

/// LESSONS 1: so does an answer that streams, as server-sent events and gRPC do.
#[test]
fn lesson_1_an_answer_that_streams_ends_when_its_key_is_revoked_and_no_other() {
    let nobody = Upstream::start();
    let mut house = House::start(&nobody);
    house.reload(&guard(house.own, api("a"), ""), IN_FORCE);
    let (kept, _) = house.issue(&["--permission", "orders.*", "--limit", "default=1/1h"]);
    let (lost, id) = house.issue(&["--permission", "orders.*"]);
    let (mut stays, mut ends) = (streaming(house.own, &kept), streaming(house.own, &lost));
    assert_eq!((piece(&mut stays, 1), piece(&mut ends, 2)), (Some(1), Some(2)));
    house.run(&["keys", "revoke", &id, "--reason", "leaked"]);
    let mut said = 3;
    while piece(&mut ends, said) == Some(said) {
        said += 1;
    }
    until(|| house.log().contains("an answer that streams ends: its request would be refused now"));
    assert_eq!(piece(&mut stays, 1), Some(1));
    drop(stays);
    house.server.take().unwrap().end();
}

/// An upload that is answered with itself while it goes on.
fn streaming(port: u16, key: &str) -> BufReader<TcpStream> {
    let mut stream = BufReader::new(TcpStream::connect(("127.0.0.1", port)).unwrap());
    stream.get_ref().set_read_timeout(Some(PATIENCE)).unwrap();
    let ask = format!(
        "POST /v1/orders HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nX-Echo: 1\r\nX-API-Key: {key}\r\n\r\n"
    );
    stream.get_mut().write_all(ask.as_bytes()).unwrap();
    let head = Message::read(&mut stream, false).unwrap();
    assert_eq!(head.status(), 200, "{head:?}");
    stream
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
