//! Requests that two servers read in two ways: each is refused, or reaches the upstream in one way only.

use crate::house::{Upstream, open, say};
use http_body_util::BodyExt;
use parking_lot::Mutex;
use std::sync::Arc;

/// What hides in a body, and must never be a request.
const HIDDEN: &str = "GET /hidden HTTP/1.1\r\nhost: a\r\nx-keystead-owner: con_x\r\n\r\n";

#[tokio::test]
async fn what_is_no_clear_request_is_refused() {
    let upstream = Upstream::echo().await;
    let proxy = open(&[upstream.address]).await;
    for head in [
        "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabcd",
        "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3, 4\r\n\r\nabcd",
        "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: +3\r\n\r\nabc",
        "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 0x3\r\n\r\nabc",
        "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: xchunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.0\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding : chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nhost: a\r\nx: 1\r\n transfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nhost: a\r\nx: 1\r\n\tfolded\r\n\r\n",
        "POST / HTTP/1.1\r\nhost: a\r\nx: 1\rtransfer-encoding: chunked\r\n\r\n",
        "POST / HTTP/1.1\r\nhost: a\r\nx\0: 1\r\n\r\n",
        "GET /a b HTTP/1.1\r\nhost: a\r\n\r\n",
        "GET / HTTP/1.1\r\n host: a\r\n\r\n",
    ] {
        let answer = say(proxy.address, format!("{head}{HIDDEN}")).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{head:?}: {answer}");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{head:?}: {answer}");
    }
    assert_eq!(upstream.count(), 0);
}

/// RFC 9112 §6.1: chunked counts alone, and nothing that follows on the connection is believed.
#[tokio::test]
async fn with_both_lengths_the_upstream_gets_one_and_the_connection_ends() {
    let upstream = Upstream::echo().await;
    let proxy = open(&[upstream.address]).await;
    for (first, second) in [
        ("content-length: 4", "transfer-encoding: chunked"),
        ("transfer-encoding: chunked", "content-length: 4"),
    ] {
        upstream.seen.lock().clear();
        let request = format!(
            "POST /one HTTP/1.1\r\nhost: a\r\n{first}\r\n{second}\r\n\r\n3\r\nabc\r\n0\r\n\r\n{HIDDEN}"
        );
        let answer = say(proxy.address, request).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("abc"), "{answer}");
        let seen = upstream.only();
        assert_eq!(seen["transfer-encoding"], "chunked");
        assert!(!seen.contains_key("content-length"));
        assert_eq!(upstream.seen.lock()[0].uri, "/one");
    }
}

/// A bare LF ends a line here (RFC 9112 §2.2 allows it); what goes on has only CR LF.
#[tokio::test]
async fn a_bare_line_feed_hides_nothing_from_the_upstream_or_from_us() {
    let upstream = Upstream::echo().await;
    let proxy = open(&[upstream.address]).await;
    let request = "POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\nx: 1\ncontent-length: 3\r\n\r\nabc";
    assert!(say(proxy.address, request).await.ends_with("abc"));
    let seen = upstream.only();
    assert_eq!((&seen["x"], &seen["content-length"]), (&"1".parse().unwrap(), &"3".parse().unwrap()));
}

#[tokio::test]
async fn broken_chunks_end_the_request_and_hide_no_other() {
    let upstream = Upstream::echo().await;
    let proxy = open(&[upstream.address]).await;
    for chunks in [
        "3\nabc\r\n0\r\n\r\n",
        "3;x\ny\r\nabc\r\n0\r\n\r\n",
        "3 x\r\nabc\r\n0\r\n\r\n",
        "-3\r\nabc\r\n0\r\n\r\n",
        "3\r\nabcd\r\n0\r\n\r\n",
        "fffffffffffffffff\r\nabc\r\n0\r\n\r\n",
    ] {
        let head = "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n";
        let answer = say(proxy.address, format!("{head}{chunks}{HIDDEN}")).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400 "), "{chunks:?}: {answer}");
    }
    assert!(upstream.seen.lock().iter().all(|seen| seen.uri == "/"), "{:?}", upstream.seen);
}

/// Who takes a GET's body for the next request would be told what nobody decided on.
#[tokio::test]
async fn a_body_goes_with_its_request_whatever_the_method() {
    let bodies = Arc::new(Mutex::new(Vec::new()));
    let keep = Arc::clone(&bodies);
    let upstream = Upstream::start(move |request: http::Request<hyper::body::Incoming>| {
        let keep = Arc::clone(&keep);
        async move {
            let body = request.into_body().collect().await.unwrap().to_bytes();
            keep.lock().push(String::from_utf8(body.to_vec()).unwrap());
            http::Response::new(crate::house::full("ok"))
        }
    })
    .await;
    let proxy = open(&[upstream.address]).await;
    let length = HIDDEN.len();
    let chunked = format!("transfer-encoding: chunked\r\n\r\n{length:x}\r\n{HIDDEN}\r\n0\r\n\r\n");
    for body in [format!("content-length: {length}\r\n\r\n{HIDDEN}"), chunked] {
        for method in ["GET", "HEAD", "DELETE", "POST"] {
            say(proxy.address, format!("{method} / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n{body}"))
                .await;
        }
    }
    assert_eq!(*bodies.lock(), [HIDDEN; 8]);
    assert!(upstream.seen.lock().iter().all(|seen| seen.uri == "/"));
}

/// LESSONS 16: trailers that a server takes for headers.
#[tokio::test]
async fn lesson_16_trailers_carry_nothing_that_only_a_guard_says() {
    let trailers = Arc::new(Mutex::new(None));
    let keep = Arc::clone(&trailers);
    let upstream = Upstream::start(move |request: http::Request<hyper::body::Incoming>| {
        let keep = Arc::clone(&keep);
        async move {
            *keep.lock() = request.into_body().collect().await.unwrap().trailers().cloned();
            http::Response::new(crate::house::full("ok"))
        }
    })
    .await;
    let proxy = open(&[upstream.address]).await;
    let request = "POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\
                   trailer: checksum, x-keystead-owner, authorization\r\n\r\n3\r\nabc\r\n0\r\n\
                   checksum: 1\r\nx-keystead-owner: con_x\r\nauthorization: Bearer x\r\n\r\n";
    assert!(say(proxy.address, request).await.ends_with("ok"));
    let trailers = trailers.lock().clone().unwrap();
    assert_eq!(trailers["checksum"], "1");
    assert_eq!(trailers.len(), 1, "{trailers:?}");
}
