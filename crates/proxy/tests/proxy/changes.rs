//! Settings that change while the proxy serves.

use crate::house::{
    Upstream, allow, decide, raw_upstream, read_head, read_until, refusal, say, settings, start,
};
use keystead_guard::Answer;
use keystead_proxy::Plan;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;

const GET: &str = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";

async fn ask(stream: &mut TcpStream, end: &str) -> String {
    stream.write_all(GET.as_bytes()).await.unwrap();
    read_until(stream, end).await
}

#[tokio::test]
async fn the_next_request_finds_it_and_the_one_in_work_ends_as_it_began() {
    let go_on = Arc::new(Notify::new());
    let goes = Arc::clone(&go_on);
    let slow = raw_upstream(move |mut stream, _| {
        let go_on = Arc::clone(&goes);
        async move {
            read_head(&mut stream).await;
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nfirst").await.unwrap();
            go_on.notified().await;
            stream.write_all(b"later").await.unwrap();
        }
    })
    .await;
    let other = raw_upstream(|mut stream, _| async move {
        read_head(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nother").await.unwrap();
    })
    .await;
    let proxy = start(settings(&[slow]), allow(), None).await;
    let mut stream = TcpStream::connect(proxy.address).await.unwrap();
    assert!(ask(&mut stream, "first").await.starts_with("HTTP/1.1 200 "));
    proxy.proxy.change(Plan::new(settings(&[other]), None).unwrap(), allow());
    go_on.notify_one();
    assert_eq!(read_until(&mut stream, "later").await, "later");
    assert!(ask(&mut stream, "other").await.starts_with("HTTP/1.1 200 "));
    let refuse = decide(|_, _| Answer::Refuse(refusal()));
    proxy.proxy.change(Plan::new(settings(&[other]), None).unwrap(), refuse);
    assert!(ask(&mut stream, "}").await.starts_with("HTTP/1.1 401 "));
}

#[tokio::test]
async fn connections_to_an_upstream_that_stays_stay_open() {
    let upstream = Upstream::echo().await;
    let proxy = start(settings(&[upstream.address]), allow(), None).await;
    let mut stream = TcpStream::connect(proxy.address).await.unwrap();
    for _ in 0..5 {
        ask(&mut stream, "\r\n\r\n").await;
        let next = settings(&[Upstream::echo().await.address, upstream.address]);
        proxy.proxy.change(Plan::new(next, None).unwrap(), allow());
        proxy.proxy.change(Plan::new(settings(&[upstream.address]), None).unwrap(), allow());
    }
    assert_eq!((upstream.count(), upstream.connections.load(std::sync::atomic::Ordering::SeqCst)), (5, 1));
}

#[tokio::test]
async fn a_larger_bound_lets_waiting_connections_in_and_a_smaller_one_keeps_them_out() {
    let upstream = Upstream::echo().await;
    let with = |connections_max| {
        let mut settings = settings(&[upstream.address]);
        settings.bounds.connections_max = connections_max;
        settings
    };
    let proxy = start(with(1), allow(), None).await;
    let mut first = TcpStream::connect(proxy.address).await.unwrap();
    ask(&mut first, "\r\n\r\n").await;
    let mut second = TcpStream::connect(proxy.address).await.unwrap();
    second.write_all(GET.as_bytes()).await.unwrap();
    ask(&mut first, "\r\n\r\n").await;
    assert_eq!(upstream.count(), 2);
    proxy.proxy.change(Plan::new(with(2), None).unwrap(), allow());
    read_until(&mut second, "\r\n\r\n").await;
    proxy.proxy.change(Plan::new(with(1), None).unwrap(), allow());
    drop(second);
    let mut third = TcpStream::connect(proxy.address).await.unwrap();
    third.write_all(GET.as_bytes()).await.unwrap();
    ask(&mut first, "\r\n\r\n").await;
    assert_eq!(upstream.count(), 4);
    drop(first);
    read_until(&mut third, "\r\n\r\n").await;
}

#[tokio::test]
async fn tls_holds_for_connections_that_come_then() {
    let folder = tempfile::tempdir().unwrap();
    let upstream = Upstream::echo().await;
    let proxy = start(settings(&[upstream.address]), allow(), None).await;
    let mut before = TcpStream::connect(proxy.address).await.unwrap();
    ask(&mut before, "\r\n\r\n").await;
    let tls = Some(crate::tls::pair(folder.path()));
    proxy.proxy.change(Plan::new(settings(&[upstream.address]), tls).unwrap(), allow());
    ask(&mut before, "\r\n\r\n").await;
    assert!(!say(proxy.address, GET).await.contains("HTTP/1.1 200"));
    assert_eq!(upstream.count(), 2);
    proxy.proxy.change(Plan::new(settings(&[upstream.address]), None).unwrap(), allow());
    proxy.shutdown.cancel();
    let mut rest = Vec::new();
    before.read_to_end(&mut rest).await.unwrap();
    assert!(rest.is_empty());
}
