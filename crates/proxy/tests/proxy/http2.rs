//! HTTP/2 on either side: gRPC's trailers, cookies, and both ways at once.

use crate::house::{
    Body, GoingOn, Upstream, allow, full, piecewise, raw_upstream, read_head, settings, start,
};
use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode, Version};
use http_body_util::BodyExt;
use hyper::body::{Frame, Incoming};
use hyper::client::conn::http2::{Builder, SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub(crate) async fn client(address: SocketAddr) -> SendRequest<Body> {
    let stream = TokioIo::new(TcpStream::connect(address).await.unwrap());
    let (client, connection) = handshake(TokioExecutor::new(), stream).await.unwrap();
    tokio::spawn(connection);
    client
}

/// Answers each message with a message, and ends with trailers, as gRPC does.
async fn grpc() -> Upstream {
    Upstream::start(async |request: Request<Incoming>| {
        let (pieces, body) = piecewise();
        tokio::spawn(async move {
            let mut messages = request.into_body();
            while let Some(Ok(frame)) = messages.frame().await {
                if frame.is_data() {
                    pieces.send(frame).await.unwrap();
                }
            }
            let mut trailers = HeaderMap::new();
            trailers.insert("grpc-status", "0".parse().unwrap());
            pieces.send(Frame::trailers(trailers)).await.unwrap();
        });
        let answer = Response::builder().header("content-type", "application/grpc");
        answer.header("trailer", "grpc-status").body(body).unwrap()
    })
    .await
}

#[tokio::test]
async fn grpc_streams_both_ways_and_ends_with_its_status() {
    for http2 in [true, false] {
        let upstream = grpc().await;
        let mut settings = settings(&[upstream.address]);
        settings.http2 = http2;
        let proxy = start(settings, allow(), None).await;
        let (messages, body) = piecewise();
        let request = Request::post("http://api.example/pkg.Service/Method")
            .header("te", "trailers")
            .header("content-type", "application/grpc");
        let answer = client(proxy.address).await.send_request(request.body(body).unwrap()).await.unwrap();
        assert_eq!((answer.status(), answer.version()), (StatusCode::OK, Version::HTTP_2));
        let mut answer = answer.into_body();
        for text in ["one", "two"] {
            messages.send(Frame::data(Bytes::from(text))).await.unwrap();
            assert_eq!(answer.frame().await.unwrap().unwrap().into_data().unwrap(), text);
        }
        drop(messages);
        let trailers = answer.frame().await.unwrap().unwrap().into_trailers().unwrap();
        assert_eq!(trailers["grpc-status"], "0");
        let seen = upstream.only();
        assert_eq!(seen["te"], "trailers");
        let head = upstream.seen.lock()[0].clone();
        if http2 {
            assert_eq!(head.version, Version::HTTP_2);
            assert_eq!(head.uri, "http://api.example/pkg.Service/Method");
            assert!(!seen.contains_key("host") && !seen.contains_key("connection"));
        } else {
            assert_eq!((head.version, &seen["host"]), (Version::HTTP_11, &"api.example".parse().unwrap()));
        }
        assert_eq!(seen["via"], "2.0 keystead");
    }
}

/// RFC 9113 §8.2.3: what HTTP/2 splits is one header in HTTP/1.1.
#[tokio::test]
async fn cookies_are_one_header_again() {
    let upstream = Upstream::echo().await;
    let proxy = start(settings(&[upstream.address]), allow(), None).await;
    let request = Request::get("http://a/").header("cookie", "a=1").header("cookie", "b=2");
    client(proxy.address).await.send_request(request.body(full("")).unwrap()).await.unwrap();
    assert_eq!(upstream.only()["cookie"], "a=1; b=2");
}

#[tokio::test]
async fn a_host_beside_another_authority_is_refused() {
    let upstream = Upstream::echo().await;
    let proxy = start(settings(&[upstream.address]), allow(), None).await;
    let request = Request::get("http://a/").header("host", "b").body(full("")).unwrap();
    let answer = client(proxy.address).await.send_request(request).await.unwrap();
    assert_eq!((answer.status(), upstream.count()), (StatusCode::BAD_REQUEST, 0));
}

/// One HTTP/2 connection to the upstream carries all, and another takes its place when it ends.
#[tokio::test]
async fn many_requests_share_one_connection_to_the_upstream() {
    let upstream = Upstream::echo().await;
    let mut settings = settings(&[upstream.address]);
    settings.http2 = true;
    let proxy = start(settings, allow(), None).await;
    let mut client = client(proxy.address).await;
    let asked = (0..20).map(|_| client.send_request(Request::post("http://a/").body(full("abc")).unwrap()));
    for answer in futures_util::future::join_all(asked).await {
        assert_eq!(answer.unwrap().into_body().collect().await.unwrap().to_bytes(), "abc");
    }
    assert_eq!(upstream.count(), 20);
    assert_eq!(upstream.connections.load(std::sync::atomic::Ordering::SeqCst), 1);
}

/// LESSONS 1, with a client that reads as slowly as it may: pieces are always there before they are asked for.
#[tokio::test(start_paused = true)]
async fn lesson_1_a_slow_reader_does_not_outlive_its_key() {
    let upstream = raw_upstream(|mut stream, _| async move {
        read_head(&mut stream).await;
        let piece = format!("fa0\r\n{}\r\n", "a".repeat(4_000));
        let answer = format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{}", piece.repeat(40));
        stream.write_all(answer.as_bytes()).await.unwrap();
        let _ = stream.read_to_end(&mut Vec::new()).await;
    })
    .await;
    let (judge, going_on) = GoingOn::judge("x-mine");
    let proxy = start(settings(&[upstream]), judge, None).await;
    let stream = TcpStream::connect(proxy.address).await.unwrap();
    let mut builder = Builder::new(TokioExecutor::new());
    builder.initial_stream_window_size(1_024).initial_connection_window_size(1_024);
    let (mut client, connection) = builder.handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let request = Request::get(format!("http://{}/slow", proxy.address)).header("x-mine", "1");
    let request = request.body(full("")).unwrap();
    let mut body = client.send_request(request).await.unwrap().into_body();
    // Busy, the runtime never moves the clock on by itself: what is on its way arrives first.
    tokio::spawn(async {
        loop {
            tokio::task::yield_now().await;
        }
    });
    let mut reads = async || {
        tokio::time::advance(Duration::from_secs(1)).await;
        body.frame().await.and_then(Result::ok)
    };
    for _ in 0..20 {
        assert!(reads().await.is_some());
    }
    going_on.refuse("/slow");
    let mut read = 0;
    while reads().await.is_some() {
        read += 1;
        assert!(read < 8, "it goes on after {read} seconds");
    }
}
