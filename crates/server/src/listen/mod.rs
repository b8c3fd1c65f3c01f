//! Accepts connections and serves a router on them, until it is told to stop.

mod activity;
mod connection;
mod tls;

#[cfg(test)]
mod tests;

pub use tls::{Tls, TlsError};

use crate::configuration::Limits;
use axum::Router;
use axum::extract::FromRequestParts;
use connection::Shared;
use http::request::Parts;
use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long connections that were cut may take to notice.
const CUT_TIME_MAX: Duration = Duration::from_secs(1);

/// How long accepting rests when the process has run out of files or memory.
const ACCEPT_REST: Duration = Duration::from_millis(100);

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
    listener.local_addr()?;
    let cut = CancellationToken::new();
    let shared = Arc::new(Shared::new(router, tls, limits, shutdown.clone(), cut.clone()));
    let places = Arc::new(Semaphore::new(limits.connections_max.min(Semaphore::MAX_PERMITS)));
    let connections = TaskTracker::new();

    let accepting = async {
        loop {
            let Ok(place) = Arc::clone(&places).acquire_owned().await else {
                return;
            };
            let (stream, peer) = accept(&listener).await;
            let shared = Arc::clone(&shared);
            connections.spawn(async move {
                shared.serve(stream, Peer(peer)).await;
                drop(place);
            });
        }
    };
    tokio::select! {
        () = accepting => {}
        () = shutdown.cancelled() => {}
    }
    drop(listener);
    connections.close();
    let grace = Duration::from_secs(limits.shutdown_seconds_max);
    if tokio::time::timeout(grace, connections.wait()).await.is_err() {
        tracing::warn!(connections = connections.len(), "connections were cut: their requests took too long");
        cut.cancel();
        let _ = tokio::time::timeout(CUT_TIME_MAX, connections.wait()).await;
    }
    Ok(())
}

/// The next connection. An error is either one client's, or passes when files are closed: none ends the server.
async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                // Without this, small answers wait for the client's delayed acknowledgement.
                let _ = stream.set_nodelay(true);
                return (stream, peer);
            }
            Err(error) if is_the_clients(&error) => {}
            Err(error) => {
                tracing::error!(%error, "connections cannot be accepted; trying again");
                tokio::time::sleep(ACCEPT_REST).await;
            }
        }
    }
}

fn is_the_clients(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
