//! Both ways at once, piece by piece; and a client that takes nothing.

use crate::house::{
    GoingOn, Upstream, allow, open, piecewise, raw_upstream, read_head, read_until, say, settings, start,
};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt;
use hyper::body::{Frame, Incoming};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

/// Server-sent events: each arrives before the next is there, through a connection that stays.
#[tokio::test]
async fn an_event_arrives_before_the_next_is_sent() {
    let (events, body) = piecewise();
    let body = Mutex::new(Some(body));
    let upstream = Upstream::start(move |_: Request<Incoming>| {
        let body = body.lock().take().unwrap();
        async move { Response::builder().header("content-type", "text/event-stream").body(body).unwrap() }
    })
    .await;
    let proxy = open(&[upstream.address]).await;
    let mut stream = TcpStream::connect(proxy.address).await.unwrap();
    stream.write_all(b"GET /events HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    let head = read_until(&mut stream, "\r\n\r\n").await;
    assert!(head.contains("content-type: text/event-stream\r\n"), "{head}");
    for number in 0..3 {
        events.send(Frame::data(Bytes::from(format!("data: {number}\n\n")))).await.unwrap();
        assert!(read_until(&mut stream, "\n\n\r\n").await.ends_with(&format!("data: {number}\n\n\r\n")));
    }
    drop(events);
    assert_eq!(read_until(&mut stream, "0\r\n\r\n").await, "0\r\n\r\n");
}

#[tokio::test]
async fn an_upload_arrives_before_the_rest_is_sent_and_is_answered_meanwhile() {
    let upstream = Upstream::start(async |request: Request<Incoming>| {
        let (pieces, body) = piecewise();
        tokio::spawn(async move {
            let mut body = request.into_body();
            while let Some(Ok(frame)) = body.frame().await {
                pieces.send(frame).await.unwrap();
            }
        });
        Response::new(body)
    })
    .await;
    let proxy = open(&[upstream.address]).await;
    let mut stream = TcpStream::connect(proxy.address).await.unwrap();
    stream.write_all(b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n").await.unwrap();
    read_until(&mut stream, "\r\n\r\n").await;
    for piece in ["one", "two", "six"] {
        stream.write_all(format!("3\r\n{piece}\r\n").as_bytes()).await.unwrap();
        assert_eq!(read_until(&mut stream, &format!("{piece}\r\n")).await, format!("3\r\n{piece}\r\n"));
    }
    stream.write_all(b"0\r\n\r\n").await.unwrap();
    assert_eq!(read_until(&mut stream, "0\r\n\r\n").await, "0\r\n\r\n");
}

#[tokio::test]
async fn a_large_body_comes_whole() {
    let upstream = Upstream::echo().await;
    let proxy = open(&[upstream.address]).await;
    let body: Vec<u8> = (0..8_000_000_u32).map(|at| (at % 251) as u8).collect();
    let mut stream = TcpStream::connect(proxy.address).await.unwrap();
    let head =
        format!("PUT / HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&body).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    assert!(answer.ends_with(&body));
    assert_eq!(upstream.only()["content-length"], "8000000");
}

/// LESSONS 42. What waits for a client that reads nothing is a few buffers, and ends.
#[tokio::test(start_paused = true)]
async fn lesson_42_a_client_that_reads_nothing_holds_little_and_not_for_ever() {
    let written = Arc::new(AtomicUsize::new(0));
    let (count, (ended, mut told)) = (Arc::clone(&written), mpsc::channel::<()>(1));
    let upstream = raw_upstream(move |mut stream, _| {
        let (count, ended) = (Arc::clone(&count), ended.clone());
        async move {
            read_head(&mut stream).await;
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1073741824\r\n\r\n").await.unwrap();
            let piece = vec![b'a'; 64 << 10];
            while stream.write_all(&piece).await.is_ok() {
                count.fetch_add(piece.len(), SeqCst);
            }
            ended.send(()).await.unwrap();
        }
    })
    .await;
    let proxy = open(&[upstream]).await;
    let mut stream = TcpStream::connect(proxy.address).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    // Only the proxy's time limit ends this.
    told.recv().await.unwrap();
    // The kernel's buffers of two connections on loopback, and ours.
    assert!(written.load(SeqCst) < 64 << 20, "{written:?}");
}

#[tokio::test]
async fn a_body_beyond_its_bound_is_refused_before_or_while_it_comes() {
    let upstream = Upstream::echo().await;
    let mut settings = settings(&[upstream.address]);
    settings.body_bytes_max = 5;
    let proxy = start(settings, allow(), None).await;
    let head = "POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n";
    let told = say(proxy.address, format!("{head}content-length: 6\r\n\r\n")).await;
    assert!(told.starts_with("HTTP/1.1 413 ") && told.contains("too_large"), "{told}");
    assert_eq!(upstream.count(), 0);
    let chunked =
        say(proxy.address, format!("{head}transfer-encoding: chunked\r\n\r\n6\r\nabcdef\r\n0\r\n\r\n")).await;
    assert!(chunked.starts_with("HTTP/1.1 413 "), "{chunked}");
    let right = say(proxy.address, format!("{head}content-length: 5\r\n\r\nabcde")).await;
    assert!(right.ends_with("abcde"), "{right}");
}

/// A head that is too large, or that does not come to its end.
#[tokio::test(start_paused = true)]
async fn heads_are_bounded_in_size_and_time() {
    let upstream = Upstream::echo().await;
    let proxy = open(&[upstream.address]).await;
    let long = format!("GET / HTTP/1.1\r\nhost: a\r\nx: {}\r\n\r\n", "b".repeat(40 << 10));
    assert!(say(proxy.address, long).await.starts_with("HTTP/1.1 431 "));
    let mut stream = TcpStream::connect(proxy.address).await.unwrap();
    let begun = tokio::time::Instant::now();
    let (mut reading, mut writing) = stream.split();
    let mut seconds = tokio::time::interval(Duration::from_secs(1));
    let dripping = async {
        for byte in b"GET / HTTP/1.1\r\nhost: a\r\nx: ".iter().chain(std::iter::repeat(&b'y')) {
            seconds.tick().await;
            if writing.write_all(&[*byte]).await.is_err() {
                return;
            }
        }
    };
    let mut answer = Vec::new();
    tokio::select! {
        _ = reading.read_to_end(&mut answer) => {}
        () = dripping => {}
    }
    assert!((10..=14).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
    assert_eq!(upstream.count(), 0);
}

/// An answer that comes before the upload is whole: the connection is not given to another request.
#[tokio::test(start_paused = true)]
async fn a_connection_with_half_an_upload_is_nobody_elses() {
    let upstream = raw_upstream(|mut stream, number| async move {
        read_head(&mut stream).await;
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n{number}");
        stream.write_all(answer.as_bytes()).await.unwrap();
        let _ = stream.read_to_end(&mut Vec::new()).await;
    })
    .await;
    let proxy = open(&[upstream]).await;
    let mut stream = TcpStream::connect(proxy.address).await.unwrap();
    stream.write_all(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nhello").await.unwrap();
    assert!(read_until(&mut stream, "\r\n\r\n0").await.starts_with("HTTP/1.1 200 OK"));
    let begun = tokio::time::Instant::now();
    let other = say(proxy.address, "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await;
    assert!(other.ends_with("\r\n\r\n1"), "{other}");
    assert!(begun.elapsed().as_secs() < 5, "{:?}", begun.elapsed());
}

/// LESSONS 1: who may not begin to listen any more does not go on listening either.
#[tokio::test(start_paused = true)]
async fn lesson_1_an_answer_that_streams_ends_when_its_request_would_be_refused_and_no_other() {
    let (one, one_body) = piecewise();
    let (other, other_body) = piecewise();
    let bodies =
        Mutex::new(HashMap::from([("/one".to_owned(), one_body), ("/other".to_owned(), other_body)]));
    let upstream = Upstream::start(move |request: Request<Incoming>| {
        let body = bodies.lock().remove(request.uri().path()).unwrap();
        async move { Response::new(body) }
    })
    .await;
    let (judge, going_on) = GoingOn::judge("x-mine");
    let proxy = start(settings(&[upstream.address]), judge, None).await;
    let mut streams = Vec::new();
    for path in ["/one", "/other"] {
        let mut stream = TcpStream::connect(proxy.address).await.unwrap();
        stream
            .write_all(format!("GET {path} HTTP/1.1\r\nhost: a\r\nx-mine: 1\r\n\r\n").as_bytes())
            .await
            .unwrap();
        read_until(&mut stream, "\r\n\r\n").await;
        streams.push(stream);
    }
    going_on.asked(&["/one", "/other"], 7).await;
    for (stream, events) in streams.iter_mut().zip([&one, &other]) {
        events.send(Frame::data(Bytes::from("there"))).await.unwrap();
        assert_eq!(read_until(stream, "there\r\n").await, "5\r\nthere\r\n");
    }
    going_on.refuse("/one");
    let begun = tokio::time::Instant::now();
    let mut rest = Vec::new();
    streams[0].read_to_end(&mut rest).await.unwrap();
    assert!(begun.elapsed().as_secs() < 5, "{:?}", begun.elapsed());
    assert!(rest.is_empty(), "what broke off is not made whole");
    // The upstream is told.
    one.closed().await;
    going_on.asked(&["/other"], 2).await;
    other.send(Frame::data(Bytes::from("there"))).await.unwrap();
    assert_eq!(read_until(&mut streams[1], "there\r\n").await, "5\r\nthere\r\n");
}
