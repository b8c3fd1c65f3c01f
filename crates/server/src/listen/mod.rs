//! Serves a router, until it is told to stop.

#[cfg(test)]
mod tests;

pub use keystead_listen::{Tls, TlsError};

use crate::configuration::Limits;
use crate::own_place::OwnPlace;
use axum::Router;
use axum::extract::FromRequestParts;
use http::Extensions;
use http::request::Parts;
use keystead_listen::{Arrival, Bounds, Listener};
use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, UnixListener};
use tokio_util::sync::CancellationToken;
use tower::Service;

/// Bytes of the head of a request.
const HEAD_BYTES_MAX: u32 = 16 << 10;

/// The address at the other end of the connection: the client's, or its last proxy's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

impl<S: Send + Sync> FromRequestParts<S> for Peer {
    type Rejection = Infallible;

    /// Of a request that did not come over a connection (a test's), the address is `0.0.0.0:0`.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let nobody = Self(SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)));
        Ok(parts.extensions.get().copied().unwrap_or(nobody))
    }
}

/// Serves `router` on `listener`, over TLS when there is a pair, until `shutdown`; then accepts no more, lets
/// requests in work finish for at most `limits.shutdown_seconds_max`, and returns.
///
/// A certificate that changes is followed only when [`Tls::watch`] runs too.
///
/// # Errors
/// When the listener has no address: it is broken. Failures to accept are waited out.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    tls: Option<Arc<Tls>>,
    limits: &Limits,
    shutdown: CancellationToken,
) -> io::Result<()> {
    let mark = |extensions: &mut Extensions, peer| {
        extensions.insert(Peer(peer));
    };
    serve_marked(listener, router, tls, limits, shutdown, mark).await
}

/// Serves `router` on a socket until `shutdown`, as [`serve`] does. Whoever can open the socket has proved that they may
/// ask about the keys of `place`.
///
/// # Errors
/// As [`serve`].
pub async fn serve_door(
    listener: UnixListener,
    router: Router,
    place: Arc<OwnPlace>,
    limits: &Limits,
    shutdown: CancellationToken,
) -> io::Result<()> {
    let mark = move |extensions: &mut Extensions, _| {
        extensions.insert(Arc::clone(&place));
    };
    serve_marked(listener, router, None, limits, shutdown, mark).await
}

/// Serves requests on which `mark` has put how they came.
async fn serve_marked<L: Listener>(
    listener: L,
    router: Router,
    tls: Option<Arc<Tls>>,
    limits: &Limits,
    shutdown: CancellationToken,
    mark: impl Fn(&mut Extensions, SocketAddr) + Send + Sync + 'static,
) -> io::Result<()> {
    let answer = move |mut request: http::Request<hyper::body::Incoming>, arrival: Arrival| {
        mark(request.extensions_mut(), arrival.peer);
        let answer = router.clone().call(request);
        async move {
            let Ok(answer) = answer.await;
            drop(arrival.in_work);
            answer
        }
    };
    keystead_listen::serve(listener, answer, tls, bounds(limits), shutdown).await
}

/// What connections may take.
#[must_use]
pub fn bounds(limits: &Limits) -> Bounds {
    let idle = Duration::from_secs(limits.idle_seconds_max);
    Bounds {
        connections_max: limits.connections_max,
        head_bytes_max: HEAD_BYTES_MAX,
        header: Duration::from_secs(limits.header_seconds_max),
        idle,
        // Answers are whole before they are sent: the end of a silent connection is enough.
        stalled: idle,
        shutdown: Duration::from_secs(limits.shutdown_seconds_max),
    }
}
