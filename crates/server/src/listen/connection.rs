//! One connection: TLS, HTTP/1.1 or HTTP/2 with their bounds, and its end.

use super::activity::{Activity, Counted, End, Patience, watch};
use super::{Peer, Tls};
use crate::configuration::Limits;
use axum::Router;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;
use tower::Service;

/// Bytes of the head of a request.
const HEAD_BYTES_MAX: u32 = 16 << 10;

/// Requests at a time on one HTTP/2 connection.
const STREAMS_MAX: u32 = 256;

/// Bytes of answers that wait on one HTTP/2 stream for a slow reader.
const STREAM_ANSWER_BYTES_MAX: usize = 64 << 10;

/// How often an HTTP/2 client is asked whether it is still there, and how long it may take to say so.
const PING_INTERVAL: Duration = Duration::from_secs(20);

/// What all connections of a listener share.
pub(super) struct Shared {
    router: Router,
    tls: Option<Arc<Tls>>,
    patience: Patience,
    builder: Builder<TokioExecutor>,
    shutdown: CancellationToken,
    cut: CancellationToken,
}

/// What ends a connection.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Signal {
    /// Let requests in work finish, take no further ones.
    Finish,
    /// At once.
    Cut,
}

impl Shared {
    pub(super) fn new(
        router: Router,
        tls: Option<Arc<Tls>>,
        limits: &Limits,
        shutdown: CancellationToken,
        cut: CancellationToken,
    ) -> Self {
        let mut builder = Builder::new(TokioExecutor::new());
        builder.http1().header_read_timeout(None).max_buf_size(HEAD_BYTES_MAX as usize);
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(STREAMS_MAX)
            .max_header_list_size(HEAD_BYTES_MAX)
            .max_send_buf_size(STREAM_ANSWER_BYTES_MAX)
            .keep_alive_interval(PING_INTERVAL)
            .keep_alive_timeout(PING_INTERVAL);
        Self { router, tls, patience: Patience::new(limits), builder, shutdown, cut }
    }

    /// Serves a connection to its end.
    pub(super) async fn serve(&self, stream: TcpStream, peer: Peer) {
        let Some(tls) = &self.tls else {
            return self.serve_http(stream, peer).await;
        };
        let handshake = tokio::time::timeout(self.patience.header, tls.accept(stream));
        let handshake = tokio::select! {
            handshake = handshake => handshake,
            () = self.shutdown.cancelled() => return,
        };
        match handshake {
            Ok(Ok(stream)) => self.serve_http(stream, peer).await,
            Ok(Err(error)) => tracing::debug!(peer = %peer.0, %error, "TLS handshake failed"),
            Err(_) => tracing::debug!(peer = %peer.0, "TLS handshake took too long"),
        }
    }

    async fn serve_http<I>(&self, stream: I, peer: Peer)
    where
        I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let activity = Arc::new(Activity::default());
        let stream = TokioIo::new(Counted { stream, activity: Arc::clone(&activity) });
        let requests = Arc::clone(&activity);
        let router = self.router.clone();
        let service = service_fn(move |mut request: hyper::Request<Incoming>| {
            let in_work = requests.begin(request.version());
            request.extensions_mut().insert(peer);
            let answer = router.clone().call(request);
            async move {
                let answer = answer.await;
                drop(in_work);
                answer
            }
        });
        let mut connection = pin!(self.builder.serve_connection(stream, service));

        // In a set of its own, the signal is polled when it has something to say, not at each request.
        let mut signals = FuturesUnordered::new();
        signals.push(self.signal(activity, false));
        loop {
            tokio::select! {
                biased;
                ended = connection.as_mut() => {
                    if let Err(error) = ended {
                        tracing::debug!(peer = %peer.0, %error, "connection ended early");
                    }
                    return;
                }
                Some((signal, activity)) = signals.next() => match signal {
                    Signal::Cut => return,
                    Signal::Finish => {
                        connection.as_mut().graceful_shutdown();
                        signals.push(self.signal(activity, true));
                    }
                },
            }
        }
    }

    /// Waits for what ends a connection. One that is `finishing` is cut when it is still there after the time that
    /// a silent one gets: a client that does not read its answers would keep it for ever.
    async fn signal(&self, activity: Arc<Activity>, finishing: bool) -> (Signal, Arc<Activity>) {
        let signal = tokio::select! {
            () = self.cut.cancelled() => Signal::Cut,
            () = self.shutdown.cancelled(), if !finishing => Signal::Finish,
            end = watch(Arc::clone(&activity), self.patience) => match end {
                End::Idle if !finishing => Signal::Finish,
                End::Idle | End::SlowHead => Signal::Cut,
            },
        };
        (signal, activity)
    }
}
