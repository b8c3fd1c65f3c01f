//! What a request began ends with its key, before its answer is there and after.

use crate::house::{
    GoingOn, Upstream, full, piecewise, raw_upstream, read_head, read_until, settings, start,
};
use crate::http2::client;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::{Frame, Incoming};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Notify, mpsc};

/// LESSONS 1: who may not ask any more gets no answer and uploads no more, however long that would take.
#[tokio::test(start_paused = true)]
async fn lesson_1_what_waits_ends_when_its_request_would_be_refused_and_no_other() {
    for rest in ["content-length: 10\r\n\r\nhello", "\r\n"] {
        let (ended, mut told) = mpsc::channel::<()>(1);
        let go = Arc::new(Notify::new());
        let wait = Arc::clone(&go);
        let upstream = raw_upstream(move |mut stream, _| {
            let (ended, wait) = (ended.clone(), Arc::clone(&wait));
            async move {
                if read_head(&mut stream).await.starts_with("POST /other ") {
                    wait.notified().await;
                    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\ndone").await.unwrap();
                } else {
                    let _ = stream.read_to_end(&mut Vec::new()).await;
                    ended.send(()).await.unwrap();
                }
            }
        })
        .await;
        let (judge, going_on) = GoingOn::judge("x-mine");
        let proxy = start(settings(&[upstream]), judge, None).await;
        let mut streams = Vec::new();
        for path in ["/one", "/other"] {
            let mut stream = TcpStream::connect(proxy.address).await.unwrap();
            let head = format!("POST {path} HTTP/1.1\r\nhost: a\r\nx-mine: 1\r\nconnection: close\r\n");
            stream.write_all(format!("{head}{rest}").as_bytes()).await.unwrap();
            streams.push(stream);
        }
        going_on.asked(&["/one", "/other"], 7).await;
        going_on.refuse("/one");
        let begun = tokio::time::Instant::now();
        let mut refused = String::new();
        streams[0].read_to_string(&mut refused).await.unwrap();
        assert!(begun.elapsed().as_secs() < 5, "{:?}", begun.elapsed());
        assert!(refused.starts_with("HTTP/1.1 401 "), "{refused}");
        // The upstream is told.
        told.recv().await.unwrap();
        going_on.asked(&["/other"], 2).await;
        go.notify_one();
        read_until(&mut streams[1], "done").await;
    }
}

/// LESSONS 1: what is long in each of its parts ends within the same time as what is long in one.
#[tokio::test(start_paused = true)]
async fn lesson_1_an_answer_that_begins_late_does_not_begin_its_time_anew() {
    let (reached, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (tell, wait) = (Arc::clone(&reached), Arc::clone(&go));
    let upstream = raw_upstream(move |mut stream, _| {
        let (tell, wait) = (Arc::clone(&tell), Arc::clone(&wait));
        async move {
            read_head(&mut stream).await;
            tell.notify_one();
            wait.notified().await;
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhello").await.unwrap();
            let _ = stream.read(&mut [0; 1]).await;
        }
    })
    .await;
    let (judge, going_on) = GoingOn::judge("x-mine");
    let proxy = start(settings(&[upstream]), judge, None).await;
    let mut stream = TcpStream::connect(proxy.address).await.unwrap();
    let begun = tokio::time::Instant::now();
    stream.write_all(b"GET / HTTP/1.1\r\nhost: a\r\nx-mine: 1\r\n\r\n").await.unwrap();
    reached.notified().await;
    going_on.refuse("/");
    tokio::time::advance(Duration::from_secs(3)).await;
    go.notify_one();
    read_until(&mut stream, "hello").await;
    assert_eq!(stream.read(&mut [0; 1]).await.unwrap(), 0);
    assert!(begun.elapsed().as_secs() < 5, "{:?}", begun.elapsed());
}

/// LESSONS 1: also where one connection carries both, in and out.
#[tokio::test(start_paused = true)]
async fn lesson_1_an_upload_over_http2_ends_alone() {
    for http2 in [true, false] {
        // Each is held while its request is in work at the upstream.
        let ((one_held, mut one_gone), (other_held, _other)) =
            (mpsc::channel::<()>(1), mpsc::channel::<()>(1));
        let held =
            Mutex::new(HashMap::from([("/one".to_owned(), one_held), ("/other".to_owned(), other_held)]));
        let upstream = Upstream::start(move |request: Request<Incoming>| {
            let held = held.lock().remove(request.uri().path()).unwrap();
            async move {
                let whole = request.into_body().collect().await;
                drop(held);
                Response::new(full(whole.map_or_else(|_| Bytes::from("broken"), |whole| whole.to_bytes())))
            }
        })
        .await;
        let (judge, going_on) = GoingOn::judge("x-mine");
        let mut settings = settings(&[upstream.address]);
        settings.http2 = http2;
        let proxy = start(settings, judge, None).await;
        let mut client = client(proxy.address).await;
        let mut begin = |path: &str| {
            let (pieces, body) = piecewise();
            let request = Request::post(format!("http://a{path}")).header("x-mine", "1").body(body).unwrap();
            (pieces, client.send_request(request))
        };
        let ((one, refused), (other, answered)) = (begin("/one"), begin("/other"));
        let (refused, answered) = (tokio::spawn(refused), tokio::spawn(answered));
        for pieces in [&one, &other] {
            pieces.send(Frame::data(Bytes::from("hello"))).await.unwrap();
        }
        going_on.asked(&["/one", "/other"], 2).await;
        going_on.refuse("/one");
        let begun = tokio::time::Instant::now();
        assert_eq!(refused.await.unwrap().unwrap().status(), StatusCode::UNAUTHORIZED);
        assert_eq!(one_gone.recv().await, None, "the upstream is told");
        assert!(begun.elapsed().as_secs() < 5, "{:?}", begun.elapsed());
        going_on.asked(&["/other"], 2).await;
        drop(other);
        let answer = answered.await.unwrap().unwrap();
        assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "hello");
        assert!(!http2 || upstream.connections.load(SeqCst) == 1);
    }
}

/// LESSONS 1: what is answered at once and uploaded for long.
#[tokio::test(start_paused = true)]
async fn lesson_1_an_upload_that_outlives_its_answer_does_not_outlive_its_key() {
    let (ended, mut told) = mpsc::channel::<()>(1);
    let upstream = raw_upstream(move |mut stream, _| {
        let ended = ended.clone();
        async move {
            read_head(&mut stream).await;
            stream.write_all(b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n").await.unwrap();
            let _ = stream.read_to_end(&mut Vec::new()).await;
            ended.send(()).await.unwrap();
        }
    })
    .await;
    let (judge, going_on) = GoingOn::judge("x-mine");
    let proxy = start(settings(&[upstream]), judge, None).await;
    let (pieces, body) = piecewise();
    let request = Request::post("http://a/one").header("x-mine", "1").body(body).unwrap();
    let mut client = client(proxy.address).await;
    let answer = client.send_request(request).await.unwrap();
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
    pieces.send(Frame::data(Bytes::from("hello"))).await.unwrap();
    going_on.asked(&["/one"], 3).await;
    going_on.refuse("/one");
    let begun = tokio::time::Instant::now();
    told.recv().await.unwrap();
    assert!(begun.elapsed().as_secs() < 5, "{:?}", begun.elapsed());
}
