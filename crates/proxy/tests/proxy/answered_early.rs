//! An answer that comes before the request is whole: it reaches also who sends everything before it reads, and what is
//! left of the upload ends.

use crate::house::{
    GoingOn, Running, Upstream, allow, decide, full, open, raw_upstream, read_head, read_until, refusal,
    settings, start,
};
use crate::tls::{connect, pair};
use http::Response;
use keystead_guard::Answer;
use keystead_listen::Tls;
use keystead_proxy::Settings;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Notify, mpsc};

/// More than all buffers between the two ends hold.
const BODY: usize = 48 << 20;

/// Sends all, and reads only then.
async fn sends_first(mut stream: impl AsyncRead + AsyncWrite + Unpin, head: &str, rest: usize) -> String {
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&vec![b'a'; rest]).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn who_sends_all_before_it_reads_learns_why_it_was_refused() {
    let upstream = Upstream::echo().await;
    let folder = tempfile::tempdir().unwrap();
    let pair: Arc<Tls> = pair(folder.path());
    let no_key = decide(|_, _| Answer::Refuse(refusal()));
    let length = format!("PUT / HTTP/1.1\r\nhost: a\r\ncontent-length: {BODY}\r\n\r\n");
    let chunked = format!("PUT / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n{BODY:x}\r\n");
    let offers = format!(
        "PUT / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: h2c\r\ncontent-length: {BODY}\r\n\r\n"
    );
    let endless = "GET / HTTP/1.1\r\nhost: a\r\nx: ".to_owned();
    for (judge, head, status) in [
        (&no_key, &length, 401),
        (&no_key, &chunked, 401),
        (&no_key, &offers, 401),
        (&allow(), &length, 413),
        (&allow(), &endless, 431),
    ] {
        let mut settings = settings(&[upstream.address]);
        settings.body_bytes_max = if status == 413 { 5 } else { settings.body_bytes_max };
        let proxy = start(settings.clone(), Arc::clone(judge), None).await;
        let told = sends_first(TcpStream::connect(proxy.address).await.unwrap(), head, BODY).await;
        assert!(told.starts_with(&format!("HTTP/1.1 {status} ")), "{head}{told}");
        let proxy = start(settings, Arc::clone(judge), Some(Arc::clone(&pair))).await;
        let told = sends_first(connect(proxy.address, folder.path(), "http/1.1").await, head, BODY).await;
        assert!(told.starts_with(&format!("HTTP/1.1 {status} ")), "TLS: {head}{told}");
    }
    assert_eq!(upstream.count(), 0);
}

/// An upstream that takes nothing of what is uploaded.
async fn takes_nothing() -> Upstream {
    Upstream::start(async |request| {
        let _held = request;
        std::future::pending().await
    })
    .await
}

async fn uploads(proxy: &Running) -> String {
    let head = format!("PUT /one HTTP/1.1\r\nhost: a\r\nx-mine: 1\r\ncontent-length: {BODY}\r\n\r\n");
    sends_first(TcpStream::connect(proxy.address).await.unwrap(), &head, BODY).await
}

/// LESSONS 1: also where the upload had begun, and nobody takes any more of it.
#[tokio::test(start_paused = true)]
async fn lesson_1_who_sends_all_before_it_reads_learns_that_its_key_was_revoked() {
    for http2 in [false, true] {
        let upstream = takes_nothing().await;
        let (judge, going_on) = GoingOn::judge("x-mine");
        let proxy = start(Settings { http2, ..settings(&[upstream.address]) }, judge, None).await;
        let revoke = async {
            going_on.asked(&["/one"], 3).await;
            going_on.refuse("/one");
            // What the kernel's buffers hold takes its own time.
            tokio::time::resume();
        };
        let (told, ()) = tokio::join!(uploads(&proxy), revoke);
        assert!(told.starts_with("HTTP/1.1 401 "), "{told}");
        tokio::time::pause();
    }
}

#[tokio::test]
async fn who_sends_all_before_it_reads_learns_that_no_answer_came() {
    for http2 in [false, true] {
        let upstream = takes_nothing().await;
        let answer = Duration::from_millis(100);
        let proxy = start(Settings { http2, answer, ..settings(&[upstream.address]) }, allow(), None).await;
        let told = uploads(&proxy).await;
        assert!(told.starts_with("HTTP/1.1 504 "), "{told}");
    }
}

/// A connection that an upstream holds up is not kept for as long as the upstream likes, with its answer or without.
#[tokio::test]
async fn the_connection_of_a_request_that_ended_closes_although_its_upload_is_stuck() {
    for (answer, status) in [("", 504), ("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", 200)] {
        let (ended, (tell, mut told)) = (Arc::new(Notify::new()), mpsc::channel(1));
        let go = Arc::clone(&ended);
        let upstream = raw_upstream(move |mut stream, _| {
            let (go, tell) = (Arc::clone(&go), tell.clone());
            async move {
                read_head(&mut stream).await;
                stream.write_all(answer.as_bytes()).await.unwrap();
                go.notified().await;
                let mut rest = Vec::new();
                let _ = stream.read_to_end(&mut rest).await;
                tell.send(rest.len()).await.unwrap();
            }
        })
        .await;
        let mut settings = settings(&[upstream]);
        match status {
            200 => settings.idle = Duration::from_secs(2),
            _ => settings.answer = Duration::from_millis(100),
        }
        let proxy = start(settings, allow(), None).await;
        let answered = uploads(&proxy).await;
        assert!(answered.starts_with(&format!("HTTP/1.1 {status} ")), "{answered}");
        ended.notify_one();
        assert!(told.recv().await.unwrap() < BODY);
    }
}

/// Over HTTP/2 the upstream says itself that it takes no more.
#[tokio::test]
async fn who_sends_all_before_it_reads_gets_the_answer_of_an_upstream_that_takes_nothing() {
    let upstream = Upstream::start(async |_| Response::new(full("done"))).await;
    let proxy = start(Settings { http2: true, ..settings(&[upstream.address]) }, allow(), None).await;
    let told = uploads(&proxy).await;
    assert!(told.starts_with("HTTP/1.1 200 ") && told.ends_with("done"), "{told}");
}

/// What goes on behind its answer is no head that drips, and no idle connection.
#[tokio::test]
async fn an_upload_that_goes_on_behind_its_answer_comes_whole() {
    let (tell, mut told) = mpsc::channel(1);
    let upstream = raw_upstream(move |mut stream, _| {
        let tell = tell.clone();
        async move {
            read_head(&mut stream).await;
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await.unwrap();
            let mut piece = [0; 5];
            while stream.read_exact(&mut piece).await.is_ok() {
                tell.send(piece).await.unwrap();
            }
        }
    })
    .await;
    let proxy = open(&[upstream]).await;
    let mut stream = TcpStream::connect(proxy.address).await.unwrap();
    stream.write_all(b"PUT / HTTP/1.1\r\nhost: a\r\ncontent-length: 15\r\n\r\n").await.unwrap();
    read_until(&mut stream, "ok").await;
    stream.write_all(b"hello").await.unwrap();
    assert_eq!(told.recv().await.unwrap(), *b"hello");
    passes(5).await;
    stream.write_all(b"world").await.unwrap();
    assert_eq!(told.recv().await.unwrap(), *b"world");
    // A head may take ten seconds.
    passes(20).await;
    stream.write_all(b"again").await.unwrap();
    assert_eq!(told.recv().await.unwrap(), *b"again");
}

/// So many seconds in which nothing comes.
async fn passes(seconds: u32) {
    tokio::time::pause();
    for _ in 0..seconds {
        tokio::time::advance(Duration::from_secs(1)).await;
        tokio::task::yield_now().await;
    }
    tokio::time::resume();
}
