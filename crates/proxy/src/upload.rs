//! The body of a request on its way to the upstream: counted, bounded, timed, and ended with its key, also when the answer
//! has come before it is whole.

use crate::begun::{Asks, Begun};
use crate::hop;
use crate::idle::{self, Idle};
use crate::problem::Problem;
use bytes::Bytes;
use futures_util::task::AtomicWaker;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use keystead_listen::InWork;
use parking_lot::Mutex;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::Notify;
use tokio_util::task::AbortOnDropHandle;

/// Why a body ended early.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Fault {
    #[error("the request's body is too large")]
    TooLarge = 1,
    #[error("the request's body does not come")]
    Slow = 2,
    #[error("the request's body is broken")]
    Broken = 3,
    #[error("the request would be refused now")]
    Refused = 4,
    #[error("the request has ended")]
    Ended = 5,
}

/// A body on its way, and what has become of it, for who sends it on and who waits for the answer.
#[derive(Debug)]
pub(crate) struct Progress {
    /// Until the request ends. Who sends it is held up while it is here and nobody takes it.
    body: Mutex<Option<Incoming>>,
    /// Who waits for its next piece.
    waits: AtomicWaker,
    /// Nobody will ask for another.
    over: Notify,
    idle: Duration,
    pieces: AtomicU64,
    whole: AtomicBool,
    fault: AtomicU8,
}

impl Progress {
    /// Comes back when nothing more of it has gone out for this long (noticed within twice that).
    pub(crate) async fn rests(&self, time: Duration) {
        idle::rests(|| self.pieces.load(Relaxed), time).await;
    }

    fn poll_body(&self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Fault>>> {
        self.waits.register(context.waker());
        match &mut *self.body.lock() {
            Some(body) => Pin::new(body).poll_frame(context).map_err(|_| Fault::Broken),
            None if self.is_whole() => Poll::Ready(None),
            None => Poll::Ready(Some(Err(Fault::Ended))),
        }
    }

    /// Whether all of it has come.
    fn has_come(&self) -> bool {
        self.is_whole() || self.body.lock().as_ref().is_some_and(Body::is_end_stream)
    }

    /// Whether all of it went out.
    pub(crate) fn is_whole(&self) -> bool {
        self.whole.load(Relaxed)
    }

    /// What was wrong with it on the client's side.
    pub(crate) fn fault(&self) -> Option<Problem> {
        match self.fault.load(Relaxed) {
            1 => Some(Problem::TooLarge),
            2 => Some(Problem::SlowBody),
            3 => Some(Problem::BrokenBody),
            // Who waits for the answer asks, too, and is told more; for what has ended nobody waits.
            4 | 5 => Some(Problem::Failed),
            _ => None,
        }
    }
}

/// A request's body.
#[derive(Debug)]
pub(crate) struct Upload(Option<Moving>);

#[derive(Debug)]
struct Moving {
    left: u64,
    idle: Idle,
    progress: Arc<Progress>,
    asks: Asks,
}

impl Upload {
    pub(crate) fn new(body: Incoming, bytes_max: u64, idle: Duration, begun: Option<Arc<Begun>>) -> Self {
        if body.is_end_stream() {
            return Self(None);
        }
        let progress = Arc::new(Progress {
            body: Mutex::new(Some(body)),
            waits: AtomicWaker::new(),
            over: Notify::new(),
            idle,
            pieces: AtomicU64::default(),
            whole: AtomicBool::default(),
            fault: AtomicU8::default(),
        });
        let asks = Asks::about(begun);
        Self(Some(Moving { left: bytes_max, idle: Idle::new(idle), progress, asks }))
    }

    pub(crate) const fn none() -> Self {
        Self(None)
    }

    pub(crate) fn is_none(&self) -> bool {
        self.0.is_none()
    }

    pub(crate) fn uploading(&self) -> Option<Uploading> {
        self.0.as_ref().map(|moving| Uploading(Arc::clone(&moving.progress)))
    }
}

/// A request whose body is on its way, until this is dropped. Then its client is held up no longer, even if the upstream's
/// connection never asks for the body again: it is not asked for while the upstream takes nothing.
#[derive(Debug)]
pub(crate) struct Uploading(Arc<Progress>);

impl Uploading {
    pub(crate) fn progress(&self) -> &Progress {
        &self.0
    }

    /// Has the body go on behind the whole answer, over this connection where it has one of its own, for as long as the
    /// upstream takes it. The request is in work until then.
    pub(crate) async fn goes_on(self, connection: Option<AbortOnDropHandle<()>>, _in_work: InWork) {
        let ended = async {
            match connection {
                // What was asked for last may not have been sent yet.
                Some(connection) => _ = connection.await,
                None => self.0.over.notified().await,
            }
        };
        tokio::select! {
            () = ended => {}
            () = self.0.rests(self.0.idle) => {}
        }
    }
}

impl Drop for Uploading {
    fn drop(&mut self) {
        *self.0.body.lock() = None;
        self.0.waits.wake();
    }
}

impl Drop for Moving {
    fn drop(&mut self) {
        *self.progress.body.lock() = None;
        self.progress.over.notify_one();
    }
}

impl Moving {
    fn fail(&self, fault: Fault) -> Poll<Option<Result<Frame<Bytes>, Fault>>> {
        self.progress.fault.store(fault as u8, Relaxed);
        Poll::Ready(Some(Err(fault)))
    }

    fn pass(&mut self, mut frame: Frame<Bytes>) -> Poll<Option<Result<Frame<Bytes>, Fault>>> {
        self.idle.moved();
        self.progress.pieces.fetch_add(1, Relaxed);
        if let Some(data) = frame.data_ref() {
            let bytes = u64::try_from(data.len()).unwrap_or(u64::MAX);
            match self.left.checked_sub(bytes) {
                Some(left) => self.left = left,
                None => return self.fail(Fault::TooLarge),
            }
        }
        let is_last = frame.trailers_mut().is_some_and(|trailers| {
            hop::clean_trailers(trailers);
            true
        });
        if is_last || self.progress.has_come() {
            self.progress.whole.store(true, Relaxed);
        } else {
            self.asks.begin();
        }
        Poll::Ready(Some(Ok(frame)))
    }
}

impl Body for Upload {
    type Data = Bytes;
    type Error = Fault;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Fault>>> {
        let Some(moving) = &mut self.0 else { return Poll::Ready(None) };
        if moving.asks.is_refused(context) {
            return moving.fail(Fault::Refused);
        }
        match moving.progress.poll_body(context) {
            Poll::Ready(Some(Ok(frame))) => moving.pass(frame),
            Poll::Ready(Some(Err(fault))) => moving.fail(fault),
            Poll::Ready(None) => {
                moving.progress.whole.store(true, Relaxed);
                Poll::Ready(None)
            }
            Poll::Pending if moving.idle.poll(context).is_ready() => moving.fail(Fault::Slow),
            Poll::Pending => {
                moving.asks.begin();
                if moving.asks.is_refused(context) { moving.fail(Fault::Refused) } else { Poll::Pending }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_ref().is_none_or(|moving| moving.progress.has_come())
    }

    fn size_hint(&self) -> SizeHint {
        let Some(moving) = &self.0 else { return SizeHint::with_exact(0) };
        moving.progress.body.lock().as_ref().map(Body::size_hint).unwrap_or_default()
    }
}
