//! The body of an answer on its way to the client.

use crate::begun::{Asks, Begun};
use crate::hop;
use crate::idle::Idle;
use crate::places::Place;
use crate::upstream::Lent;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;
use hyper::body::Incoming;
use keystead_listen::InWork;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What a request in work takes of the listener.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) in_work: InWork,
    pub(crate) _place: Place,
}

/// An answer's body.
#[derive(Debug)]
pub(crate) enum Download {
    /// The proxy's own.
    Own(Full<Bytes>),
    /// An upstream's.
    Upstream(Box<Moving>),
}

#[derive(Debug)]
pub(crate) struct Moving {
    body: Incoming,
    idle: Idle,
    /// The connection that it comes over, until it has come.
    lent: Option<Lent>,
    held: Held,
    asks: Asks,
}

impl Download {
    pub(crate) fn new(
        body: Incoming,
        idle: Duration,
        lent: Lent,
        (held, begun): (Held, Option<Arc<Begun>>),
    ) -> Self {
        let mut lent = Some(lent);
        if body.is_end_stream() {
            give_back(&mut lent, &held);
        }
        Self::Upstream(Box::new(Moving { body, idle: Idle::new(idle), lent, held, asks: Asks::about(begun) }))
    }
}

/// The whole answer has come: its connection can take another request.
fn give_back(lent: &mut Option<Lent>, held: &Held) {
    if let Some(lent) = lent.take() {
        lent.give_back(&held.in_work);
    }
}

impl Moving {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Failure>>> {
        self.held.in_work.owes(false);
        if self.asks.is_refused(context) {
            return self.refuse();
        }
        match Pin::new(&mut self.body).poll_frame(context) {
            Poll::Ready(Some(Ok(mut frame))) => {
                self.idle.moved();
                self.held.in_work.owes(true);
                if let Some(trailers) = frame.trailers_mut() {
                    hop::strip(trailers);
                }
                if self.body.is_end_stream() {
                    give_back(&mut self.lent, &self.held);
                } else {
                    // Over HTTP/2 a client that reads slowly never lets this wait: there is always a piece already.
                    self.asks.begin();
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) => {
                self.lent = None;
                tracing::debug!(%error, "an answer broke off");
                Poll::Ready(Some(Err(error.into())))
            }
            Poll::Ready(None) => {
                give_back(&mut self.lent, &self.held);
                Poll::Ready(None)
            }
            Poll::Pending if self.idle.poll(context).is_ready() => {
                self.lent = None;
                Poll::Ready(Some(Err("the answer's body does not come".into())))
            }
            Poll::Pending => {
                self.asks.begin();
                if self.asks.is_refused(context) { self.refuse() } else { Poll::Pending }
            }
        }
    }

    fn refuse(&mut self) -> Poll<Option<Result<Frame<Bytes>, Failure>>> {
        self.lent = None;
        tracing::info!("an answer that streams ends: its request would be refused now");
        Poll::Ready(Some(Err("the request would be refused now".into())))
    }
}

impl Body for Download {
    type Data = Bytes;
    type Error = Failure;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Failure>>> {
        match &mut *self {
            Self::Own(body) => Pin::new(body).poll_frame(context).map_err(|never| match never {}),
            Self::Upstream(moving) => moving.poll(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Own(body) => body.is_end_stream(),
            Self::Upstream(moving) => moving.body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Own(body) => body.size_hint(),
            Self::Upstream(moving) => moving.body.size_hint(),
        }
    }
}
