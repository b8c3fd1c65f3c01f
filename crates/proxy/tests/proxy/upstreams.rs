//! Several upstreams, none, and connections that were kept too long.

use crate::house::{Upstream, open, raw_upstream, read_head, say};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use tokio::io::AsyncWriteExt;

const GET: &str = "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
const POST: &str = "POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 3\r\n\r\nabc";

/// An address that nobody listens on, nor is given to who listens anywhere.
fn nobody() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 1))
}

#[tokio::test]
async fn without_an_upstream_the_client_is_told() {
    let proxy = open(&[nobody()]).await;
    for _ in 0..5 {
        let answer = say(proxy.address, GET).await;
        assert!(answer.starts_with("HTTP/1.1 502 ") && answer.contains("upstream_unreachable"), "{answer}");
        assert!(answer.contains("application/problem+json") && !answer.contains("127.0.0.1"), "{answer}");
    }
}

#[tokio::test]
async fn another_upstream_takes_what_one_cannot_also_with_a_body() {
    let upstream = Upstream::echo().await;
    let proxy = open(&[nobody(), upstream.address]).await;
    for _ in 0..6 {
        assert!(say(proxy.address, POST).await.ends_with("abc"));
    }
    assert_eq!(upstream.count(), 6);
}

#[tokio::test]
async fn upstreams_share_the_requests() {
    let (one, other) = (Upstream::echo().await, Upstream::echo().await);
    let proxy = open(&[one.address, other.address]).await;
    for _ in 0..10 {
        say(proxy.address, GET).await;
    }
    assert_eq!((one.count(), other.count()), (5, 5));
}

/// The first answer on each connection is right; of the second request it closes without a word.
async fn closes_on_the_second(reached: Arc<AtomicUsize>) -> SocketAddr {
    raw_upstream(move |mut stream, _| {
        let reached = Arc::clone(&reached);
        async move {
            for number in 0..2 {
                let head = read_head(&mut stream).await;
                reached.fetch_add(usize::from(!head.is_empty()), SeqCst);
                if head.contains("content-length: 3") {
                    read_exactly(&mut stream, 3).await;
                }
                if number == 0 {
                    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await.unwrap();
                }
            }
        }
    })
    .await
}

async fn read_exactly(stream: &mut tokio::net::TcpStream, bytes: usize) {
    use tokio::io::AsyncReadExt;
    stream.read_exact(&mut vec![0; bytes]).await.unwrap();
}

#[tokio::test]
async fn what_changes_nothing_twice_is_sent_again() {
    let reached = Arc::new(AtomicUsize::new(0));
    let proxy = open(&[closes_on_the_second(Arc::clone(&reached)).await]).await;
    for _ in 0..2 {
        assert!(say(proxy.address, GET).await.ends_with("ok"));
    }
    assert_eq!(reached.load(SeqCst), 3);
}

#[tokio::test]
async fn what_may_have_been_done_is_not_sent_again() {
    let empty = "POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    for second in [POST, empty] {
        let reached = Arc::new(AtomicUsize::new(0));
        let proxy = open(&[closes_on_the_second(Arc::clone(&reached)).await]).await;
        assert!(say(proxy.address, GET).await.ends_with("ok"));
        let answer = say(proxy.address, second).await;
        assert!(answer.starts_with("HTTP/1.1 502 ") && answer.contains("upstream_failed"), "{answer}");
        assert_eq!(reached.load(SeqCst), 2);
    }
}
