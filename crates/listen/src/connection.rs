//! One connection: TLS, HTTP/1.1 or HTTP/2 with their bounds, and its end.

use super::activity::{Activity, End, Held, Patience, watch};
use super::counted::Counted;
use super::lingering::Lingering;
use super::offer::Offer;
use super::{Arrival, Bounds, Tls};
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;

/// Requests at a time on one HTTP/2 connection.
const STREAMS_MAX: u32 = 256;

/// Bytes of answers that wait on one HTTP/2 stream for a slow reader.
const STREAM_ANSWER_BYTES_MAX: usize = 64 << 10;

/// How often an HTTP/2 client is asked whether it is still there, and how long it may take to say so.
const PING_INTERVAL: Duration = Duration::from_secs(20);

/// What all connections of a listener share.
pub(super) struct Shared<S> {
    answer: Arc<S>,
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

impl<S, F, B> Shared<S>
where
    S: Fn(Request<Incoming>, Arrival) -> F + Send + Sync + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: Body<Data: Send, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Send + 'static,
{
    pub(super) fn new(
        answer: Arc<S>,
        tls: Option<Arc<Tls>>,
        bounds: Bounds,
        shutdown: CancellationToken,
        cut: CancellationToken,
    ) -> Self {
        let mut builder = Builder::new(TokioExecutor::new());
        let head = usize::try_from(bounds.head_bytes_max).unwrap_or(usize::MAX);
        builder.http1().header_read_timeout(None).max_buf_size(head);
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(STREAMS_MAX)
            .max_header_list_size(bounds.head_bytes_max)
            .max_send_buf_size(STREAM_ANSWER_BYTES_MAX)
            .keep_alive_interval(PING_INTERVAL)
            .keep_alive_timeout(PING_INTERVAL);
        Self { answer, tls, patience: Patience::new(&bounds), builder, shutdown, cut }
    }

    /// Serves a connection to its end.
    pub(super) async fn serve<I>(self: Arc<Self>, stream: I, peer: SocketAddr, held: Held)
    where
        I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let activity = Arc::new(Activity::holding(held));
        let stream = Lingering::new(stream, Arc::clone(&activity));
        let Some(tls) = &self.tls else {
            return self.serve_http(stream, peer, activity).await;
        };
        let handshake = tokio::time::timeout(self.patience.header, tls.accept(stream));
        let handshake = tokio::select! {
            handshake = handshake => handshake,
            () = self.shutdown.cancelled() => return,
        };
        match handshake {
            Ok(Ok(stream)) => self.serve_http(stream, peer, activity).await,
            Ok(Err(error)) => tracing::debug!(%peer, %error, "TLS handshake failed"),
            Err(_) => tracing::debug!(%peer, "TLS handshake took too long"),
        }
    }

    async fn serve_http<I>(self: &Arc<Self>, stream: I, peer: SocketAddr, activity: Arc<Activity>)
    where
        I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let stream = TokioIo::new(Counted::new(stream, Arc::clone(&activity)));
        let offer = Offer::none(Arc::clone(&activity));
        let (requests, shared, offers) = (Arc::clone(&activity), Arc::clone(self), Arc::clone(&offer));
        let service = service_fn(move |request: Request<Incoming>| {
            let in_work = requests.begin(&request);
            let offer = offers.of(&request);
            let (tls, cut) = (shared.tls.is_some(), shared.cut.clone());
            // Mapped: an async block would hold the answer twice, before and while it is awaited, and move both about.
            (shared.answer)(request, Arrival { peer, tls, in_work, cut }).map(move |response| {
                if let Some(offer) = offer {
                    offer.answered(response.status());
                }
                Ok::<_, Infallible>(response)
            })
        });
        let mut connection = pin!(self.builder.serve_connection_with_upgrades(stream, service));

        // In a set of its own, the signal is polled when it has something to say, not at each request.
        let mut signals = FuturesUnordered::new();
        signals.push(self.signal(activity, false));
        loop {
            tokio::select! {
                biased;
                ended = connection.as_mut() => {
                    if let Err(error) = ended {
                        tracing::debug!(%peer, %error, "connection ended early");
                    }
                    tokio::select! {
                        () = offer.close() => {}
                        () = self.shutdown.cancelled() => {}
                    }
                    return;
                }
                Some((signal, activity)) = signals.next() => match signal {
                    Signal::Cut => return,
                    Signal::Finish => {
                        activity.close();
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
                End::Idle | End::SlowHead | End::Stalled => Signal::Cut,
            },
        };
        (signal, activity)
    }
}
