//! What takes too long. Time is paused: it jumps to the next timer as soon as nobody has anything to do.

use crate::house::{Upstream, open, raw_upstream, read_head, say};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;

#[tokio::test(start_paused = true)]
async fn an_upstream_that_does_not_answer_is_given_up() {
    let upstream = raw_upstream(|mut stream, _| async move {
        read_head(&mut stream).await;
        let _ = stream.read(&mut [0; 1]).await;
    })
    .await;
    let proxy = open(&[upstream]).await;
    let begun = Instant::now();
    let answer = say(proxy.address, "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 504 ") && answer.contains("upstream_too_slow"), "{answer}");
    assert!((60..=62).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_stops_ends_and_is_not_whole() {
    let upstream = raw_upstream(|mut stream, _| async move {
        read_head(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello").await.unwrap();
        let _ = stream.read(&mut [0; 1]).await;
    })
    .await;
    let proxy = open(&[upstream]).await;
    let begun = Instant::now();
    let answer = say(proxy.address, "GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert!(answer.ends_with("hello"), "{answer}");
    assert!((60..=62).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn an_upload_that_stops_is_told_so() {
    let upstream = Upstream::echo().await;
    let proxy = open(&[upstream.address]).await;
    let mut stream = TcpStream::connect(proxy.address).await.unwrap();
    stream.write_all(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nhello").await.unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    let answer = String::from_utf8(answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("body_too_slow"), "{answer}");
}
