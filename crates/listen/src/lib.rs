//! Accepts connections and serves requests on them, over TLS or not, until it is told to stop.

mod activity;
mod connection;
mod connections;
mod counted;
mod lingering;
mod listener;
mod offer;
mod tls;

pub use activity::InWork;
pub use connections::Connections;
pub use listener::Listener;
pub use tls::{Tls, TlsError};

use connection::Shared;
use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long connections that were cut may take to notice.
const CUT_TIME_MAX: Duration = Duration::from_secs(1);

/// How long accepting rests when the process has run out of files or memory.
const ACCEPT_REST: Duration = Duration::from_millis(100);

/// What connections may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Open connections; further ones wait to be accepted.
    pub connections_max: usize,
    /// Bytes of the head of a request, at least 8 KiB.
    pub head_bytes_max: u32,
    /// For a TLS handshake, and for the head of a request once it has begun.
    pub header: Duration,
    /// Without a request.
    pub idle: Duration,
    /// For a client to take the next piece of an answer that waits for it ([`InWork::owes`]).
    pub stalled: Duration,
    /// For requests in work to finish when it is told to stop.
    pub shutdown: Duration,
}

/// How a request came.
#[derive(Debug)]
pub struct Arrival {
    /// The other end of the connection; `0.0.0.0:0` where it has no address.
    pub peer: SocketAddr,
    /// Whether it is encrypted.
    pub tls: bool,
    /// Its connection counts as idle when this and its clones are dropped. Until then it is neither closed nor given away.
    pub in_work: InWork,
    /// Cancelled when what is left has to end at once.
    pub cut: CancellationToken,
}

/// What connections get; it may change while they are accepted, and holds for those that come then.
#[derive(Debug, Clone)]
pub struct Setup {
    /// Without one, they are not encrypted.
    pub tls: Option<Arc<Tls>>,
    /// What they may take.
    pub bounds: Bounds,
}

/// Has `answer` answer what comes to `listener`, over TLS when there is a pair, until `shutdown`; then accepts no
/// more, lets requests in work finish for at most `bounds.shutdown`, and returns.
///
/// A certificate that changes is followed only when [`Tls::watch`] runs too.
///
/// # Errors
/// When the listener has no address: it is broken. Failures to accept are waited out.
pub async fn serve<L, S, F, B>(
    listener: L,
    answer: S,
    tls: Option<Arc<Tls>>,
    bounds: Bounds,
    shutdown: CancellationToken,
) -> io::Result<()>
where
    L: Listener,
    S: Fn(Request<Incoming>, Arrival) -> F + Send + Sync + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: Body<Data: Send, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Send + 'static,
{
    let (_stays, setup) = watch::channel(Setup { tls, bounds });
    serve_changing(listener, answer, setup, Arc::default(), shutdown).await
}

/// The same with a setup that may change, and the connections counted in `open`.
///
/// # Errors
/// As [`serve`].
pub async fn serve_changing<L, S, F, B>(
    listener: L,
    answer: S,
    mut setup: watch::Receiver<Setup>,
    open: Arc<Connections>,
    shutdown: CancellationToken,
) -> io::Result<()>
where
    L: Listener,
    S: Fn(Request<Incoming>, Arrival) -> F + Send + Sync + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: Body<Data: Send, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Send + 'static,
{
    listener.check()?;
    let cut = CancellationToken::new();
    let connections = TaskTracker::new();
    let answer = Arc::new(answer);
    let share = |setup: Setup| {
        Arc::new(Shared::new(Arc::clone(&answer), setup.tls, setup.bounds, shutdown.clone(), cut.clone()))
    };

    let accepting = async {
        let mut shared = share(setup.borrow_and_update().clone());
        loop {
            open.wait_for_place(&setup).await;
            let (stream, peer) = accept(&listener).await;
            if setup.has_changed().unwrap_or(false) {
                shared = share(setup.borrow_and_update().clone());
            }
            let held = activity::Held { _place: open.take(), _counted: connections.token() };
            let shared = Arc::clone(&shared);
            connections.spawn(async move { shared.serve(stream, peer, held).await });
        }
    };
    tokio::select! {
        () = accepting => {}
        () = shutdown.cancelled() => {}
    }
    drop(listener);
    connections.close();
    let time = setup.borrow().bounds.shutdown;
    if tokio::time::timeout(time, connections.wait()).await.is_err() {
        tracing::warn!(connections = connections.len(), "connections were cut: their requests took too long");
        cut.cancel();
        let _ = tokio::time::timeout(CUT_TIME_MAX, connections.wait()).await;
    }
    Ok(())
}

/// The next connection. An error is either one client's, or passes when files are closed: none ends the server.
async fn accept<L: Listener>(listener: &L) -> (L::Stream, SocketAddr) {
    loop {
        match listener.accepted().await {
            Ok(accepted) => return accepted,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_clients_failure_is_told_apart_from_the_servers() {
        use io::ErrorKind::{ConnectionAborted, ConnectionReset};
        assert!([ConnectionAborted, ConnectionReset].map(io::Error::from).iter().all(is_the_clients));
        // EMFILE: "too many open files".
        assert!(!is_the_clients(&io::Error::from_raw_os_error(24)));
    }
}
