//! Refusals, and decisions that change.

use crate::house::{Upstream, decide, read_until, refusal, say, settings, start};
use keystead_guard::{Allowed, Answer};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

#[tokio::test]
async fn a_refused_request_is_told_why_and_reaches_nobody() {
    let upstream = Upstream::echo().await;
    let proxy = start(settings(&[upstream.address]), decide(|_, _| Answer::Refuse(refusal())), None).await;
    let answer = say(proxy.address, "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 401 Unauthorized\r\n"), "{answer}");
    assert!(answer.contains("www-authenticate: Bearer realm=\"keystead\"\r\n"), "{answer}");
    assert!(answer.contains("content-type: application/problem+json\r\n"), "{answer}");
    assert!(answer.ends_with(&refusal().document()), "{answer}");
    assert_eq!((upstream.count(), upstream.connections.load(SeqCst)), (0, 0));
}

/// LESSONS 1: a connection that was good once opens nothing.
#[tokio::test]
async fn lesson_1_a_key_that_is_revoked_ends_on_the_connection_it_came_over() {
    let upstream = Upstream::echo().await;
    let revoked = Arc::new(AtomicBool::new(false));
    let asked = Arc::new(AtomicUsize::new(0));
    let (is_revoked, count) = (Arc::clone(&revoked), Arc::clone(&asked));
    let decide = decide(move |_, _| {
        count.fetch_add(1, SeqCst);
        if is_revoked.load(SeqCst) { Answer::Refuse(refusal()) } else { Answer::Allow(Allowed::default()) }
    });
    let proxy = start(settings(&[upstream.address]), decide, None).await;
    let mut stream = TcpStream::connect(proxy.address).await.unwrap();
    let request = b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\none";
    for _ in 0..2 {
        stream.write_all(request).await.unwrap();
        assert!(read_until(&mut stream, "one").await.starts_with("HTTP/1.1 200 OK"));
    }
    revoked.store(true, SeqCst);
    stream.write_all(request).await.unwrap();
    assert!(read_until(&mut stream, "}").await.starts_with("HTTP/1.1 401 "));
    assert_eq!((asked.load(SeqCst), upstream.count()), (3, 2));
    // Both came over one connection, also behind the proxy.
    assert_eq!(upstream.connections.load(SeqCst), 1);
}

/// A refused client is not asked for its body.
#[tokio::test]
async fn a_body_is_asked_for_only_when_it_is_sent_on() {
    let upstream = Upstream::echo().await;
    let decide = decide(|parts, _| match parts.uri.path() {
        "/open" => Answer::Allow(Allowed::default()),
        _ => Answer::Refuse(refusal()),
    });
    let proxy = start(settings(&[upstream.address]), decide, None).await;
    let ask = async |path: &str| {
        let mut stream = TcpStream::connect(proxy.address).await.unwrap();
        let head =
            format!("POST {path} HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 4\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        let first = read_until(&mut stream, "\r\n\r\n").await;
        (stream, first)
    };
    let (_, first) = ask("/closed").await;
    assert!(first.starts_with("HTTP/1.1 401 "), "{first}");
    let (mut stream, first) = ask("/open").await;
    assert_eq!(first, "HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"body").await.unwrap();
    let answer = read_until(&mut stream, "body").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(!upstream.only().contains_key("expect"));
}
