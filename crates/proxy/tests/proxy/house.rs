//! The upstream, the proxy and the client of the tests.

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::request::Parts;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use keystead_guard::{Allowed, Answer, Refusal};
use keystead_listen::{Bounds, Tls};
use keystead_proxy::{Decide, Judge, Plan, Proxy, Settings, Still, serve};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub(crate) type Body = BoxBody<Bytes, io::Error>;

/// The head of a request that reached the upstream.
pub(crate) type Seen = Arc<Mutex<Vec<Parts>>>;

/// A server on loopback that records what reached it.
pub(crate) struct Upstream {
    pub(crate) address: SocketAddr,
    pub(crate) seen: Seen,
    pub(crate) connections: Arc<AtomicUsize>,
}

impl Upstream {
    /// One that tells when a request has reached it, and answers `done` when it may.
    pub(crate) async fn that_waits() -> (Self, Arc<Notify>, Arc<Notify>) {
        let (reached, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (tell, wait) = (Arc::clone(&reached), Arc::clone(&go));
        let upstream = Self::start(move |_: Request<Incoming>| {
            let (tell, wait) = (Arc::clone(&tell), Arc::clone(&wait));
            async move {
                tell.notify_one();
                wait.notified().await;
                Response::new(full("done"))
            }
        });
        (upstream.await, reached, go)
    }

    pub(crate) async fn start<F, A>(answer: F) -> Self
    where
        F: Fn(Request<Incoming>) -> A + Send + Sync + 'static,
        A: Future<Output = Response<Body>> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (seen, connections) = (Seen::default(), Arc::new(AtomicUsize::new(0)));
        let (record, counted, answer) = (Arc::clone(&seen), Arc::clone(&connections), Arc::new(answer));
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                counted.fetch_add(1, SeqCst);
                let (record, answer) = (Arc::clone(&record), Arc::clone(&answer));
                tokio::spawn(async move {
                    let service = service_fn(move |request: Request<Incoming>| {
                        let mut head = Request::new(());
                        *head.method_mut() = request.method().clone();
                        *head.uri_mut() = request.uri().clone();
                        *head.headers_mut() = request.headers().clone();
                        *head.version_mut() = request.version();
                        record.lock().push(head.into_parts().0);
                        let answer = answer(request);
                        async move { Ok::<_, Infallible>(answer.await) }
                    });
                    let builder = Builder::new(TokioExecutor::new());
                    let _ = builder.serve_connection_with_upgrades(TokioIo::new(stream), service).await;
                });
            }
        });
        Self { address, seen, connections }
    }

    /// Reads the body and sends it back.
    pub(crate) async fn echo() -> Self {
        Self::start(async |request: Request<Incoming>| match request.into_body().collect().await {
            Ok(whole) => Response::new(full(whole.to_bytes())),
            Err(_) => Response::builder().status(StatusCode::BAD_REQUEST).body(full("broken")).unwrap(),
        })
        .await
    }

    pub(crate) fn only(&self) -> HeaderMap {
        let seen = self.seen.lock();
        assert_eq!(seen.len(), 1, "{seen:?}");
        seen[0].headers.clone()
    }

    pub(crate) fn count(&self) -> usize {
        self.seen.lock().len()
    }
}

/// A server that does with each connection what `act` does.
pub(crate) async fn raw_upstream<F, A>(act: F) -> SocketAddr
where
    F: Fn(TcpStream, usize) -> A + Send + 'static,
    A: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        for number in 0.. {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(act(stream, number));
        }
    });
    address
}

/// Reads to the end of a request's head.
pub(crate) async fn read_head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8(head).unwrap()
}

pub(crate) fn full(text: impl Into<Bytes>) -> Body {
    Full::new(text.into()).map_err(|never| match never {}).boxed()
}

/// A body whose pieces are sent as the test wants.
pub(crate) fn piecewise() -> (mpsc::Sender<Frame<Bytes>>, Body) {
    let (sender, receiver) = mpsc::channel(1);
    let pieces = futures_util::stream::unfold(receiver, async |mut receiver| {
        receiver.recv().await.map(|frame| (Ok(frame), receiver))
    });
    (sender, BodyExt::boxed(StreamBody::new(Box::pin(SyncStream(Mutex::new(Box::pin(pieces)))))))
}

/// `BoxBody` wants to be shared; a stream that is only polled through `&mut` may be.
struct SyncStream(Mutex<futures_util::stream::BoxStream<'static, io::Result<Frame<Bytes>>>>);

impl futures_util::Stream for SyncStream {
    type Item = io::Result<Frame<Bytes>>;

    fn poll_next(
        self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        self.0.lock().as_mut().poll_next(context)
    }
}

pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) proxy: Arc<Proxy>,
    pub(crate) shutdown: CancellationToken,
    pub(crate) serving: JoinHandle<io::Result<()>>,
}

pub(crate) fn settings(upstreams: &[SocketAddr]) -> Settings {
    let seconds = Duration::from_secs;
    Settings {
        upstreams: upstreams.iter().map(|address| format!("http://{address}").parse().unwrap()).collect(),
        http2: false,
        ca_file: None,
        upgrades: vec!["websocket".into()],
        bounds: Bounds {
            connections_max: 100,
            head_bytes_max: 32 << 10,
            header: seconds(10),
            idle: seconds(75),
            stalled: seconds(60),
            shutdown: seconds(20),
        },
        requests_in_flight_max: 100,
        body_bytes_max: 64 << 20,
        connect: seconds(5),
        answer: seconds(60),
        idle: seconds(60),
        health: None,
    }
}

pub(crate) async fn start(settings: Settings, judge: impl Into<Judge>, tls: Option<Arc<Tls>>) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, shutdown) = (listener.local_addr().unwrap(), CancellationToken::new());
    let proxy = Proxy::new(Plan::new(settings, tls).unwrap(), judge);
    let serving = tokio::spawn(serve(listener, Arc::clone(&proxy), shutdown.clone()));
    Running { address, proxy, shutdown, serving }
}

/// A proxy that lets all through.
pub(crate) async fn open(upstreams: &[SocketAddr]) -> Running {
    start(settings(upstreams), allow(), None).await
}

pub(crate) fn decide(by: impl Fn(&Parts, IpAddr) -> Answer + Send + Sync + 'static) -> Decide {
    let by = Arc::new(by);
    Arc::new(move |parts: &Parts, peer| -> BoxFuture<'_, Answer> {
        let by = Arc::clone(&by);
        Box::pin(async move {
            tokio::task::yield_now().await;
            by(parts, peer)
        })
    })
}

pub(crate) fn allow() -> Decide {
    decide(|_, _| Answer::Allow(Allowed::default()))
}

/// Whose requests may go on once they have begun, and how often that was asked of each, by their paths.
pub(crate) struct GoingOn {
    refused: Mutex<Option<&'static str>>,
    asked: watch::Sender<HashMap<String, usize>>,
}

impl GoingOn {
    /// Lets all through; what is asked about later must be what the client sent, with this header.
    pub(crate) fn judge(header: &'static str) -> (Judge, Arc<Self>) {
        let going_on = Arc::new(Self { refused: Mutex::default(), asked: watch::Sender::default() });
        let told = Arc::clone(&going_on);
        let still: Still = Arc::new(move |parts: &Parts, client: IpAddr| {
            assert!(client.is_loopback() && parts.headers.contains_key(header));
            let path = parts.uri.path();
            told.asked.send_modify(|asked| *asked.entry(path.to_owned()).or_default() += 1);
            (*told.refused.lock() == Some(path)).then(refusal)
        });
        (Judge { decide: allow(), still: Some(still) }, going_on)
    }

    pub(crate) fn refuse(&self, path: &'static str) {
        *self.refused.lock() = Some(path);
    }

    /// Waits until it was asked so many more times about each of these.
    pub(crate) async fn asked(&self, paths: &[&str], times: usize) {
        let mut asked = self.asked.subscribe();
        let count = |asked: &HashMap<String, usize>, path: &str| asked.get(path).copied().unwrap_or_default();
        let before = asked.borrow().clone();
        let all = |now: &HashMap<String, usize>| {
            paths.iter().all(|path| count(now, path) >= count(&before, path) + times)
        };
        asked.wait_for(all).await.unwrap();
    }
}

pub(crate) fn refusal() -> Refusal {
    Refusal::at_once(StatusCode::UNAUTHORIZED, "malformed", "The request carries no key.", false)
}

/// Sends these bytes and reads until the other end closes.
pub(crate) async fn say(address: SocketAddr, bytes: impl AsRef<[u8]>) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // It may be answered and closed before all was sent.
    let _ = stream.write_all(bytes.as_ref()).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

/// Reads until what came ends so.
pub(crate) async fn read_until(stream: &mut TcpStream, end: &str) -> String {
    let mut got = Vec::new();
    while !got.ends_with(end.as_bytes()) {
        match stream.read_u8().await {
            Ok(byte) => got.push(byte),
            Err(error) => panic!("{error} after {:?}", String::from_utf8_lossy(&got)),
        }
    }
    String::from_utf8(got).unwrap()
}
