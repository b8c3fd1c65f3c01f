//! What ends early, on either side, and the end of the proxy.

use crate::house::{Upstream, allow, open, raw_upstream, read_head, say, settings, start};
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Notify, mpsc};

/// A part never passes for the whole.
#[tokio::test]
async fn an_upstream_that_dies_in_its_answer_is_seen_by_the_client() {
    for head in ["content-length: 100", "transfer-encoding: chunked"] {
        let upstream = raw_upstream(move |mut stream, _| async move {
            read_head(&mut stream).await;
            let answer = format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n5\r\nhello\r\n");
            stream.write_all(answer.as_bytes()).await.unwrap();
        })
        .await;
        let proxy = open(&[upstream]).await;
        let mut stream = TcpStream::connect(proxy.address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        let answer = String::from_utf8(answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.contains(head), "{answer}");
        assert!(answer.contains("hello") && !answer.ends_with("0\r\n\r\n"), "{answer}");
    }
}

#[tokio::test]
async fn a_client_that_goes_away_ends_what_was_done_for_it() {
    for begin in ["", "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhello"] {
        let (ended, mut told) = mpsc::channel::<()>(1);
        let reached = Arc::new(Notify::new());
        let tell = Arc::clone(&reached);
        let upstream = raw_upstream(move |mut stream, _| {
            let (ended, tell) = (ended.clone(), Arc::clone(&tell));
            async move {
                read_head(&mut stream).await;
                stream.write_all(begin.as_bytes()).await.unwrap();
                tell.notify_one();
                // Nothing more is said: it ends when the proxy ends it.
                let _ = stream.read(&mut [0; 1]).await;
                ended.send(()).await.unwrap();
            }
        })
        .await;
        let proxy = open(&[upstream]).await;
        let mut stream = TcpStream::connect(proxy.address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
        reached.notified().await;
        drop(stream);
        told.recv().await.unwrap();
    }
}

#[tokio::test]
async fn an_upload_that_breaks_off_is_never_whole_for_the_upstream() {
    for head in ["content-length: 100\r\n\r\nhello", "transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n"] {
        let (ended, mut told) = mpsc::channel::<Vec<u8>>(1);
        let reached = Arc::new(Notify::new());
        let tell = Arc::clone(&reached);
        let upstream = raw_upstream(move |mut stream, _| {
            let (ended, tell) = (ended.clone(), Arc::clone(&tell));
            async move {
                read_head(&mut stream).await;
                tell.notify_one();
                let mut rest = Vec::new();
                let _ = stream.read_to_end(&mut rest).await;
                ended.send(rest).await.unwrap();
            }
        })
        .await;
        let proxy = open(&[upstream]).await;
        let mut stream = TcpStream::connect(proxy.address).await.unwrap();
        stream.write_all(format!("POST / HTTP/1.1\r\nhost: a\r\n{head}").as_bytes()).await.unwrap();
        reached.notified().await;
        drop(stream);
        let rest = told.recv().await.unwrap();
        assert!(!rest.ends_with(b"0\r\n\r\n") && rest.len() < 100, "{rest:?}");
    }
}

#[tokio::test]
async fn what_no_http_answer_is_is_told_as_that() {
    for wrong in
        ["", "nonsense\r\n\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab"]
    {
        let upstream = raw_upstream(move |mut stream, _| async move {
            read_head(&mut stream).await;
            stream.write_all(wrong.as_bytes()).await.unwrap();
        })
        .await;
        let proxy = open(&[upstream]).await;
        for method in ["POST", "GET"] {
            let head =
                format!("{method} / HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
            let answer = say(proxy.address, head).await;
            assert!(
                answer.starts_with("HTTP/1.1 502 ") && answer.contains("upstream_failed"),
                "{wrong:?}: {answer}"
            );
            // Where upstreams are is nobody's business.
            assert!(!answer.contains("127.0.0.1"), "{answer}");
        }
    }
}

#[tokio::test]
async fn a_stop_lets_the_request_in_work_finish_and_takes_no_other() {
    let (upstream, reached, go) = Upstream::that_waits().await;
    let proxy = open(&[upstream.address]).await;
    let asking = tokio::spawn(say(proxy.address, "GET / HTTP/1.1\r\nhost: a\r\n\r\n"));
    reached.notified().await;
    proxy.shutdown.cancel();
    while TcpStream::connect(proxy.address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert!(!proxy.serving.is_finished());
    go.notify_one();
    let answer = asking.await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("done"), "{answer}");
    proxy.serving.await.unwrap().unwrap();
}

#[tokio::test]
async fn more_than_may_be_in_work_is_told_to_come_again() {
    let (upstream, reached, go) = Upstream::that_waits().await;
    let mut settings = settings(&[upstream.address]);
    settings.requests_in_flight_max = 1;
    let proxy = start(settings, allow(), None).await;
    let request = "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    let first = tokio::spawn(say(proxy.address, request));
    reached.notified().await;
    let second = say(proxy.address, request).await;
    assert!(second.starts_with("HTTP/1.1 503 ") && second.contains("retry-after: 1\r\n"), "{second}");
    go.notify_one();
    assert!(first.await.unwrap().ends_with("done"));
    go.notify_one();
    assert!(say(proxy.address, request).await.ends_with("done"));
}
