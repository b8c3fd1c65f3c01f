//! Bodies that go on piece by piece, through every door.

use crate::Table;
use crate::house::House;
use crate::wire::{Message, PATIENCE};
use std::io::{BufReader, Read, Write};
use std::net::TcpStream;

/// The API has the first piece of the body before the last is sent, and the client that of the answer.
pub(crate) fn both_ways(table: &mut Table<'_>, house: &House) {
    let (key, _) = house.issue(&["--permission", "orders.*"]);
    for (framing, first, last) in [
        ("Content-Length: 10", "first", "last!"),
        ("Transfer-Encoding: chunked", "5\r\nfirst\r\n", "5\r\nlast!\r\n0\r\n\r\n"),
    ] {
        let mut stream = BufReader::new(TcpStream::connect(("127.0.0.1", table.proxy.port)).unwrap());
        stream.get_ref().set_read_timeout(Some(PATIENCE)).unwrap();
        let head = format!(
            "POST /v1/orders?stream HTTP/1.1\r\nHost: a\r\nX-API-Key: {key}\r\n{framing}\r\n\r\n{first}"
        );
        stream.get_mut().write_all(head.as_bytes()).unwrap();
        let began = table.upstream.began();
        table.check(began, &format!("{framing}: the first piece"), &began);
        stream.get_mut().write_all(last.as_bytes()).unwrap();
        let answer = Message::read(&mut stream, false).unwrap_or_default();
        let one = until(&mut stream, "one");
        table.check(answer.status() == 200 && one, &format!("{framing}: the answer's first piece"), &answer);
        table.upstream.go_on();
        let two = until(&mut stream, "two");
        table.check(two, &format!("{framing}: the rest of the answer"), &two);
        let reached = table.upstream.take();
        table.check(reached.len() == 1, &format!("{framing}: reached"), &reached);
    }
}

/// Whether this comes.
fn until(stream: &mut BufReader<TcpStream>, end: &str) -> bool {
    let mut got = Vec::new();
    let mut byte = [0];
    while !got.ends_with(end.as_bytes()) {
        if stream.read_exact(&mut byte).is_err() {
            return false;
        }
        got.push(byte[0]);
    }
    true
}
