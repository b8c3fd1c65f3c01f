//! WebSocket and the like: what a connection may become, and what not.

use crate::house::{GoingOn, allow, open, raw_upstream, read_head, read_until, say, settings, start};
use parking_lot::Mutex;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const ASK: &str = "GET /chat HTTP/1.1\r\nhost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
const SWITCH: &str = "HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
                      sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

/// Switches, and echoes what comes.
async fn echo() -> std::net::SocketAddr {
    raw_upstream(|mut stream, _| async move {
        let head = read_head(&mut stream).await;
        assert!(
            head.contains("upgrade: websocket\r\n") && head.contains("connection: upgrade\r\n"),
            "{head}"
        );
        assert!(head.contains("sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n"), "{head}");
        stream.write_all(SWITCH.as_bytes()).await.unwrap();
        let (mut reading, mut writing) = stream.split();
        let _ = tokio::io::copy(&mut reading, &mut writing).await;
    })
    .await
}

#[tokio::test]
async fn a_websocket_carries_both_ways_until_it_ends() {
    let proxy = open(&[echo().await]).await;
    let mut stream = TcpStream::connect(proxy.address).await.unwrap();
    // The first frame comes with the request, as from a client in a hurry.
    stream.write_all(format!("{ASK}\u{1}frame0").as_bytes()).await.unwrap();
    let head = read_until(&mut stream, "\r\n\r\n").await;
    assert!(head.starts_with("HTTP/1.1 101 ") && head.contains("upgrade: websocket\r\n"), "{head}");
    assert!(head.contains("sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"), "{head}");
    assert_eq!(read_until(&mut stream, "frame0").await, "\u{1}frame0");
    for number in 1..4 {
        stream.write_all(format!("frame{number}").as_bytes()).await.unwrap();
        assert_eq!(read_until(&mut stream, &number.to_string()).await, format!("frame{number}"));
    }
    stream.shutdown().await.unwrap();
    assert_eq!(stream.read(&mut [0; 1]).await.unwrap(), 0);
}

/// Behind an upgrade to HTTP again, requests would follow that nobody decides on.
#[tokio::test]
async fn what_carries_requests_again_is_not_upgraded_to() {
    let heads = Arc::new(Mutex::new(String::new()));
    let keep = Arc::clone(&heads);
    let upstream = raw_upstream(move |mut stream, _| {
        let keep = Arc::clone(&keep);
        async move {
            let head = read_head(&mut stream).await;
            keep.lock().push_str(&head);
            stream
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok")
                .await
                .unwrap();
        }
    })
    .await;
    let proxy = open(&[upstream]).await;
    for (upgrade, options) in
        [("h2c", "Upgrade, HTTP2-Settings"), ("websocket, h2c", "upgrade"), ("TLS/1.0", "upgrade")]
    {
        let head = format!(
            "GET / HTTP/1.1\r\nhost: a\r\nconnection: {options}, close\r\nupgrade: {upgrade}\r\n\
                            http2-settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n\r\n"
        );
        assert!(say(proxy.address, head).await.ends_with("ok"));
    }
    let heads = heads.lock();
    assert_eq!(heads.matches("GET / ").count(), 3, "{heads}");
    assert!(!heads.contains("\r\nupgrade:") && !heads.contains("\r\nconnection:"), "{heads}");
    for (protocol, may) in
        [("websocket", true), ("h2c", false), ("HTTP/2.0", false), ("tls/1.2", false), ("", false)]
    {
        assert_eq!(keystead_proxy::is_tunnel(protocol), may, "{protocol}");
    }
}

#[tokio::test]
async fn an_upstream_that_switches_unasked_or_to_something_else_is_not_followed() {
    for (asked, switch) in [
        ("GET / HTTP/1.1\r\nhost: a\r\n\r\n", SWITCH.to_owned()),
        (ASK, SWITCH.replace("websocket", "h2c")),
        (ASK, SWITCH.replace("upgrade: websocket\r\n", "")),
    ] {
        let upstream = raw_upstream(move |mut stream, _| {
            let switch = switch.clone();
            async move {
                read_head(&mut stream).await;
                stream.write_all(switch.as_bytes()).await.unwrap();
                let _ = stream.read(&mut [0; 1]).await;
            }
        })
        .await;
        let proxy = open(&[upstream]).await;
        let mut stream = TcpStream::connect(proxy.address).await.unwrap();
        stream.write_all(asked.as_bytes()).await.unwrap();
        let answer = read_until(&mut stream, "\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 502 "), "{answer}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_tunnel_ends() {
    let proxy = open(&[echo().await]).await;
    let mut stream = TcpStream::connect(proxy.address).await.unwrap();
    stream.write_all(ASK.as_bytes()).await.unwrap();
    read_until(&mut stream, "\r\n\r\n").await;
    let begun = tokio::time::Instant::now();
    assert_eq!(stream.read(&mut [0; 1]).await.unwrap(), 0);
    assert!((60..=121).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
}

/// LESSONS 1: who may open no tunnel any more does not keep one.
#[tokio::test(start_paused = true)]
async fn lesson_1_a_tunnel_whose_request_would_be_refused_ends_and_no_other() {
    let (judge, going_on) = GoingOn::judge("sec-websocket-key");
    let proxy = start(settings(&[echo().await]), judge, None).await;
    let mut streams = Vec::new();
    for path in ["/one", "/other"] {
        let mut stream = TcpStream::connect(proxy.address).await.unwrap();
        stream.write_all(ASK.replace("/chat", path).as_bytes()).await.unwrap();
        read_until(&mut stream, "\r\n\r\n").await;
        streams.push(stream);
    }
    going_on.asked(&["/one", "/other"], 7).await;
    for stream in &mut streams {
        stream.write_all(b"there?").await.unwrap();
        assert_eq!(read_until(stream, "there?").await, "there?");
    }
    going_on.refuse("/one");
    let begun = tokio::time::Instant::now();
    assert_eq!(streams[0].read(&mut [0; 1]).await.unwrap(), 0);
    assert!(begun.elapsed().as_secs() < 5, "{:?}", begun.elapsed());
    going_on.asked(&["/other"], 2).await;
    streams[1].write_all(b"there?").await.unwrap();
    assert_eq!(read_until(&mut streams[1], "there?").await, "there?");
}

#[tokio::test(start_paused = true)]
async fn a_stop_cuts_tunnels_when_their_time_is_over() {
    let mut settings = settings(&[echo().await]);
    settings.bounds.shutdown = std::time::Duration::ZERO;
    let proxy = start(settings, allow(), None).await;
    let mut stream = TcpStream::connect(proxy.address).await.unwrap();
    stream.write_all(ASK.as_bytes()).await.unwrap();
    read_until(&mut stream, "\r\n\r\n").await;
    let begun = tokio::time::Instant::now();
    proxy.shutdown.cancel();
    proxy.serving.await.unwrap().unwrap();
    assert_eq!(stream.read(&mut [0; 1]).await.unwrap_or(0), 0);
    assert!(begun.elapsed().as_secs() < 5, "{:?}", begun.elapsed());
}
