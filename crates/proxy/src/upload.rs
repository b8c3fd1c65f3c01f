//! The body of a request on its way to the upstream: counted, bounded, timed, and ended with its key, also when the answer
//! has come before it is whole.

use crate::begun::{Asks, Begun};
use crate::hop;
use crate::idle::Idle;
use crate::problem::Problem;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::Duration;

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
}

/// What has become of a body, for who waits for the answer.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    pieces: AtomicU64,
    whole: AtomicBool,
    fault: AtomicU8,
}

impl Progress {
    pub(crate) fn pieces(&self) -> u64 {
        self.pieces.load(Relaxed)
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
            // Who waits for the answer asks, too, and is told more.
            4 => Some(Problem::Failed),
            _ => None,
        }
    }
}

/// A request's body.
#[derive(Debug)]
pub(crate) struct Upload(Option<Moving>);

#[derive(Debug)]
struct Moving {
    body: Incoming,
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
        let progress = Arc::new(Progress::default());
        let asks = Asks::about(begun);
        Self(Some(Moving { body, left: bytes_max, idle: Idle::new(idle), progress, asks }))
    }

    pub(crate) const fn none() -> Self {
        Self(None)
    }

    pub(crate) fn is_none(&self) -> bool {
        self.0.is_none()
    }

    pub(crate) fn progress(&self) -> Option<Arc<Progress>> {
        self.0.as_ref().map(|moving| Arc::clone(&moving.progress))
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
        } else if let Some(trailers) = frame.trailers_mut() {
            hop::clean_trailers(trailers);
        }
        if self.body.is_end_stream() {
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
        match Pin::new(&mut moving.body).poll_frame(context) {
            Poll::Ready(Some(Ok(frame))) => moving.pass(frame),
            Poll::Ready(Some(Err(_))) => moving.fail(Fault::Broken),
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
        self.0.as_ref().is_none_or(|moving| moving.body.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        self.0.as_ref().map_or_else(|| SizeHint::with_exact(0), |moving| moving.body.size_hint())
    }
}
