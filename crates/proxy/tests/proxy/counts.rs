//! What a proxy counts.

use crate::house::{
    Upstream, allow, decide, open, raw_upstream, read_head, read_until, refusal, say, settings, start,
};
use keystead_guard::Answer;
use keystead_proxy::{Numbers, UpstreamNumbers};
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const GET: &str = "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";

#[tokio::test]
async fn answers_failures_and_tries_are_counted() {
    let nobody = SocketAddr::from(([127, 0, 0, 1], 1));
    let proxy = open(&[nobody, Upstream::echo().await.address]).await;
    for _ in 0..10 {
        say(proxy.address, GET).await;
    }
    let numbers = proxy.proxy.numbers();
    let [ill, well] = &numbers.upstreams[..] else { panic!("{numbers:?}") };
    // After three failures in a row it rests.
    assert_eq!((ill, numbers.retries), (&UpstreamNumbers { failures: 3, is_healthy: false }, 3));
    assert_eq!(well, &UpstreamNumbers { failures: 0, is_healthy: true });
    assert_eq!((numbers.answers, numbers.tunnels), ([0, 10, 0, 0, 0], 0));

    let alone = start(settings(&[nobody]), allow(), None).await;
    say(alone.address, GET).await;
    assert_eq!(alone.proxy.numbers().answers, [0, 0, 0, 0, 1]);
    let closed = start(settings(&[nobody]), decide(|_, _| Answer::Refuse(refusal())), None).await;
    say(closed.address, GET).await;
    assert_eq!(closed.proxy.numbers().answers, [0, 0, 0, 1, 0]);
    assert_eq!(closed.proxy.numbers().upstreams[0].failures, 0);
}

#[tokio::test]
async fn connections_requests_and_tunnels_are_counted_while_they_last() {
    let upstream = raw_upstream(|mut stream, _| async move {
        read_head(&mut stream).await;
        let switch = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";
        stream.write_all(switch.as_bytes()).await.unwrap();
        let _ = stream.read(&mut [0; 1]).await;
    })
    .await;
    let proxy = open(&[upstream]).await;
    let mut stream = TcpStream::connect(proxy.address).await.unwrap();
    let ask = "GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";
    stream.write_all(ask.as_bytes()).await.unwrap();
    read_until(&mut stream, "\r\n\r\n").await;
    let numbers = proxy.proxy.numbers();
    assert_eq!((numbers.connections, numbers.in_flight, numbers.tunnels), (1, 1, 1));
    assert_eq!(numbers.answers, [1, 0, 0, 0, 0]);
    stream.shutdown().await.unwrap();
    assert_eq!(stream.read(&mut [0; 1]).await.unwrap(), 0);
    let over = |numbers: &Numbers| (numbers.connections, numbers.in_flight, numbers.tunnels) == (0, 0, 0);
    while !over(&proxy.proxy.numbers()) {
        tokio::task::yield_now().await;
    }
}
