//! Conversations over real sockets on loopback: plain and TLS, HTTP/1.1 and HTTP/2, and the end.

mod tls;

use super::*;
use crate::configuration::{self, Limits};
use crate::front::Front;
use crate::metrics::Metrics;
use axum::body::Body;
use axum::routing::{get, post};
use http::{Request, StatusCode, Version};
use http_body_util::{BodyExt, Empty, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// A server on a free port of loopback.
struct Server {
    address: SocketAddr,
    shutdown: CancellationToken,
    serving: JoinHandle<io::Result<()>>,
    /// Told when `/wait` is reached; `/wait` ends when `go` is told.
    reached: Arc<Notify>,
    go: Arc<Notify>,
}

fn limits() -> Limits {
    configuration::load(&[], []).unwrap().configuration.limits
}

async fn start(limits: Limits, tls: Option<Arc<Tls>>) -> Server {
    let (reached, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (tell, wait) = (Arc::clone(&reached), Arc::clone(&go));
    let routes = Router::new()
        .route("/peer", get(async |Peer(address): Peer| address.to_string()))
        .route("/echo", post(async |body: bytes::Bytes| body))
        .route(
            "/wait",
            get(async move || {
                tell.notify_one();
                wait.notified().await;
                "done"
            }),
        );
    let front = Front::new(&limits, Metrics::new(), &mut ChaCha8Rng::seed_from_u64(1));
    let router = front.before(routes);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let shutdown = CancellationToken::new();
    let token = shutdown.clone();
    let serving = tokio::spawn(async move { serve(listener, router, tls, &limits, token).await });
    Server { address, shutdown, serving, reached, go }
}

/// Sends these bytes and reads until the server closes.
async fn say(server: &Server, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    // The server may answer and close before all was sent.
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn http_1_is_served_with_the_clients_address() {
    let server = start(limits(), None).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let own = stream.local_addr().unwrap().to_string();
    stream.write_all(b"GET /peer HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with(&own), "{answer}");
}

#[tokio::test]
async fn http_2_is_served_with_prior_knowledge() {
    let server = start(limits(), None).await;
    let stream = TokioIo::new(TcpStream::connect(server.address).await.unwrap());
    let (mut client, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), stream).await.unwrap();
    tokio::spawn(connection);
    let request =
        Request::post("http://x/echo").body(Full::new(bytes::Bytes::from(vec![b'a'; 300_000]))).unwrap();
    let answer = client.send_request(request).await.unwrap();
    assert_eq!((answer.status(), answer.version()), (StatusCode::OK, Version::HTTP_2));
    assert_eq!(answer.into_body().collect().await.unwrap().to_bytes().len(), 300_000);
}

/// LESSONS 42: limits on every input.
#[tokio::test]
async fn heads_and_bodies_beyond_their_bounds_are_refused() {
    let server = start(limits(), None).await;
    let many = format!("GET /peer HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{}\r\n", "a: b\r\n".repeat(65));
    let answer = say(&server, many.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 431 ") && answer.contains("headers_too_large"), "{answer}");
    let more = format!("GET /peer HTTP/1.1\r\nhost: x\r\n{}\r\n", "a: b\r\n".repeat(1_000));
    assert!(say(&server, more.as_bytes()).await.starts_with("HTTP/1.1 431 "));
    let long = format!("GET /peer HTTP/1.1\r\nhost: x\r\na: {}\r\n\r\n", "b".repeat(20 << 10));
    assert!(say(&server, long.as_bytes()).await.starts_with("HTTP/1.1 431 "));
    let large = b"POST /echo HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 1048577\r\n\r\n";
    let answer = say(&server, large).await;
    assert!(answer.starts_with("HTTP/1.1 413 ") && answer.contains("too_large"), "{answer}");
}

#[tokio::test]
async fn what_is_no_http_is_refused() {
    let server = start(limits(), None).await;
    assert!(
        say(&server, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 hello\r\n\r\n")
            .await
            .starts_with("HTTP/1.1 400 ")
    );
}

/// Time is paused: it jumps to the next timer as soon as nobody has anything to do.
#[tokio::test(start_paused = true)]
async fn a_slow_head_is_cut() {
    let server = start(limits(), None).await;
    for begun in
        [&b""[..], b"GET /peer HT", b"GET /peer HTTP/1.1\r\nhost: x\r\na:", b"PRI * HTTP/2.0\r\n\r\nS"]
    {
        assert_eq!(say(&server, begun).await, "");
    }
}

#[tokio::test]
async fn a_stop_lets_the_request_in_work_finish_and_takes_no_other() {
    let server = start(limits(), None).await;
    let idle = TcpStream::connect(server.address).await.unwrap();
    let address = server.address;
    let asking = tokio::spawn(async move {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET /wait HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    });
    server.reached.notified().await;
    server.shutdown.cancel();
    // The listener is closed before requests in work are waited for: this is refused sooner or later.
    while TcpStream::connect(server.address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert!(!server.serving.is_finished());
    server.go.notify_one();
    let answer = asking.await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("done"), "{answer}");
    server.serving.await.unwrap().unwrap();
    drop(idle);
}

/// `say` reads to the end, which only the server makes: the second answer comes, then it closes.
#[tokio::test(start_paused = true)]
async fn an_idle_connection_is_closed_after_its_requests() {
    let server = start(limits(), None).await;
    let begun = tokio::time::Instant::now();
    let request = "GET /peer HTTP/1.1\r\nhost: x\r\n\r\n";
    let answers = say(&server, request.repeat(2).as_bytes()).await;
    assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), 2, "{answers}");
    assert!(begun.elapsed().as_secs() >= limits().idle_seconds_max);
}

#[tokio::test]
async fn a_request_that_does_not_finish_is_cut_at_the_end() {
    let mut limits = limits();
    limits.shutdown_seconds_max = 0;
    let server = start(limits, None).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(b"GET /wait HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    server.reached.notified().await;
    server.shutdown.cancel();
    server.serving.await.unwrap().unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    assert!(answer.is_empty());
}

#[tokio::test]
async fn a_connection_too_many_waits_until_another_ends() {
    let mut limits = limits();
    limits.connections_max = 1;
    let server = start(limits, None).await;
    let mut first = TcpStream::connect(server.address).await.unwrap();
    first.write_all(b"GET /wait HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
    server.reached.notified().await;
    let mut second = TcpStream::connect(server.address).await.unwrap();
    second.write_all(b"GET /wait HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
    server.go.notify_one();
    let mut answer = String::new();
    first.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with("done"));
    server.reached.notified().await;
    server.go.notify_one();
    answer.clear();
    second.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with("done"));
}
