//! The upstreams: which one gets a request, and their open connections.

use crate::connect::{self, Http1, Sender};
use crate::standing::Standing;
use crate::upload::{Upload, Uploading};
use crate::{Health, Origin, Settings, UpstreamNumbers, health};
use futures_util::FutureExt;
use http::uri::Scheme;
use hyper::client::conn::{http1, http2};
use keystead_listen::InWork;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;
use tokio_util::task::AbortOnDropHandle;

/// Idle connections that are kept of one upstream, and for how long: shorter than what servers usually keep.
const IDLE_MAX: usize = 256;
const IDLE_TIME_MAX: Duration = Duration::from_secs(30);

/// How long one may take to have sent what it carried before.
const READY_TIME_MAX: Duration = Duration::from_secs(1);

/// A connection that carries nothing: it closes in order when this is dropped.
#[derive(Debug)]
struct Resting {
    requests: http1::SendRequest<Upload>,
    task: JoinHandle<()>,
}

impl From<Resting> for Http1 {
    fn from(Resting { requests, task }: Resting) -> Self {
        Self { requests, task: AbortOnDropHandle::new(task) }
    }
}

/// One upstream.
#[derive(Debug)]
pub(crate) struct Upstream {
    pub(crate) origin: Origin,
    pub(crate) standing: Arc<Standing>,
    idle: Mutex<VecDeque<(Resting, Instant)>>,
    shared: tokio::sync::Mutex<Option<http2::SendRequest<Upload>>>,
}

/// All of them, and how they are spoken to.
pub(crate) struct Upstreams {
    all: Box<[Arc<Upstream>]>,
    next: AtomicUsize,
    tls: Option<TlsConnector>,
    http2: bool,
    connect: Duration,
}

/// A request's place at an upstream.
#[derive(Debug)]
pub(crate) struct Flight(pub(crate) Arc<Upstream>);

/// A connection that carries a request, until its answer is whole.
#[derive(Debug)]
pub(crate) struct Lent {
    flight: Flight,
    /// None: it is shared with others.
    sender: Option<Http1>,
    upload: Option<Uploading>,
}

impl Upstreams {
    /// What is known of an origin stays known. So do its open connections, but for those over TLS: the authorities may
    /// be others now.
    pub(crate) fn new(settings: &Settings, tls: Option<TlsConnector>, before: Option<&Self>) -> Self {
        let http2 = settings.http2;
        let upstream = |origin: &Origin| {
            let known = before.and_then(|before| before.all.iter().find(|known| known.origin == *origin));
            match known {
                Some(known) if !origin.tls && before.is_some_and(|before| before.http2 == http2) => {
                    Arc::clone(known)
                }
                known => {
                    let standing = known.map_or_else(Arc::default, |known| Arc::clone(&known.standing));
                    Arc::new(Upstream::new(origin.clone(), standing))
                }
            }
        };
        let all: Box<[_]> = settings.upstreams.iter().map(upstream).collect();
        if settings.health.is_none() {
            all.iter().for_each(|one| one.standing.unchecked());
        }
        Self { all, next: AtomicUsize::new(0), tls, http2, connect: settings.connect }
    }

    /// Asks all for their health until it is dropped.
    pub(crate) fn check(&self, health: Option<&Health>) -> JoinSet<()> {
        let asked = health.into_iter().flat_map(|health| self.all.iter().map(move |one| (one, health)));
        asked
            .map(|(one, health)| health::watch(Arc::clone(one), self.tls.clone(), self.http2, health.clone()))
            .collect()
    }

    pub(crate) fn numbers(&self) -> Vec<UpstreamNumbers> {
        let now = Instant::now();
        let numbers = |one: &Arc<Upstream>| UpstreamNumbers {
            failures: one.standing.failures_ever(),
            is_healthy: !one.standing.is_left_out(now),
        };
        self.all.iter().map(numbers).collect()
    }

    pub(crate) fn count(&self) -> usize {
        self.all.len()
    }

    /// The one with the least in flight that is not in `tried`, does not rest and does not fail its checks; where there is
    /// none, one of these: to ask costs less than to answer for them.
    pub(crate) fn choose(&self, tried: &[Arc<Upstream>]) -> Option<Flight> {
        let start = self.next.fetch_add(1, Relaxed);
        let now = (self.all.len() > 1).then(Instant::now);
        let turned =
            (0..self.all.len()).filter_map(|at| self.all.get((start.wrapping_add(at)) % self.all.len()));
        let left = turned.filter(|one| !tried.iter().any(|tried| Arc::ptr_eq(tried, one)));
        let best = left.min_by_key(|one| {
            let left_out = now.is_some_and(|now| one.standing.is_left_out(now));
            (left_out, one.standing.in_flight())
        })?;
        best.standing.begin();
        Some(Flight(Arc::clone(best)))
    }

    /// The scheme of requests in HTTP/2; none for HTTP/1.1.
    pub(crate) fn http2(&self, upstream: &Upstream) -> Option<Scheme> {
        let scheme = if upstream.origin.tls { Scheme::HTTPS } else { Scheme::HTTP };
        self.http2.then_some(scheme)
    }

    /// A connection, an open one before a new one; whether it was open.
    pub(crate) async fn connection(&self, upstream: &Upstream, fresh: bool) -> Option<(Sender, bool)> {
        if self.http2 {
            return self.shared(upstream).await;
        }
        if let Some(sender) = upstream.idle(fresh).await {
            return Some((Sender::Http1(sender), true));
        }
        self.open(upstream).await.map(|sender| (sender, false))
    }

    async fn shared(&self, upstream: &Upstream) -> Option<(Sender, bool)> {
        let mut shared = upstream.shared.lock().await;
        if let Some(sender) = shared.as_ref().filter(|sender| !sender.is_closed()) {
            return Some((Sender::Http2(sender.clone()), true));
        }
        let sender = self.open(upstream).await?;
        if let Sender::Http2(sender) = &sender {
            *shared = Some(sender.clone());
        }
        Some((sender, false))
    }

    async fn open(&self, upstream: &Upstream) -> Option<Sender> {
        // Apart: it is rare, and its room would be moved about with each request.
        let opening = Box::pin(connect::connect(&upstream.origin, self.tls.as_ref(), self.http2));
        let error = match timeout(self.connect, opening).await {
            Ok(Ok(sender)) => return Some(sender),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "it took too long".to_owned(),
        };
        upstream.failed(&error);
        None
    }
}

impl Upstream {
    fn new(origin: Origin, standing: Arc<Standing>) -> Self {
        Self { origin, standing, idle: Mutex::new(VecDeque::new()), shared: tokio::sync::Mutex::new(None) }
    }

    /// It could not be reached, or did not answer.
    pub(crate) fn failed(&self, why: &str) {
        self.standing.failed(&self.origin, why);
    }

    pub(crate) fn answered(&self) {
        self.standing.answered();
    }

    /// The idle connection that was used last.
    async fn idle(&self, fresh: bool) -> Option<Http1> {
        if fresh {
            return None;
        }
        let now = Instant::now();
        loop {
            let (mut resting, since) = self.idle.lock().pop_back()?;
            if now.duration_since(since) >= IDLE_TIME_MAX {
                continue;
            }
            // Its task may not have noticed yet that the answer before was whole.
            if let Some(ready) = resting.requests.ready().now_or_never() {
                if ready.is_ok() {
                    return Some(resting.into());
                }
                continue;
            }
            // Or what was sent before is still not taken: then it closes, whatever that was.
            let mut sender = Http1::from(resting);
            if timeout(READY_TIME_MAX, sender.requests.ready()).await.is_ok_and(|ready| ready.is_ok()) {
                return Some(sender);
            }
        }
    }

    fn put(&self, sender: Http1) {
        let now = Instant::now();
        let resting = Resting { requests: sender.requests, task: sender.task.detach() };
        let mut idle = self.idle.lock();
        let is_old = |(resting, since): &(Resting, Instant)| {
            resting.requests.is_closed() || now.duration_since(*since) >= IDLE_TIME_MAX
        };
        while idle.len() >= IDLE_MAX || idle.front().is_some_and(is_old) {
            idle.pop_front();
        }
        idle.push_back((resting, now));
    }
}

impl Lent {
    pub(crate) fn new(flight: Flight, sender: Sender, upload: Option<Uploading>) -> Self {
        let sender = match sender {
            Sender::Http1(sender) => Some(sender),
            Sender::Http2(_) => None,
        };
        Self { flight, sender, upload }
    }

    /// The answer is whole. The connection is used again unless the request is not: then it closes when that has ended.
    pub(crate) fn give_back(self, in_work: &InWork) {
        let Self { flight, sender, upload } = self;
        match upload.filter(|upload| !upload.progress().is_whole()) {
            Some(upload) => {
                _ = tokio::spawn(upload.goes_on(sender.map(|sender| sender.task), in_work.clone()))
            }
            None => {
                if let Some(sender) = sender {
                    flight.0.put(sender);
                }
            }
        }
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.0.standing.end();
    }
}
