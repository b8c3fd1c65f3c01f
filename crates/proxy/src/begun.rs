//! What a request began and goes on, a tunnel or an answer that streams, is asked about again every few seconds: it ends
//! with its key.

use crate::Still;
use http::request::Parts;
use std::fmt;
use std::net::IpAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep};

/// How often it is asked about: a key that dies ends it within this, and what asking takes.
pub(crate) const ASK_INTERVAL: Duration = Duration::from_secs(4);

/// A request as the client sent it, and who says whether it would pass now.
pub(crate) struct Begun {
    still: Still,
    parts: Parts,
    client: IpAddr,
}

impl fmt::Debug for Begun {
    /// Without what the client sent: its key is in there.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Begun").field("client", &self.client).finish_non_exhaustive()
    }
}

impl Begun {
    pub(crate) fn new(still: Still, parts: &Parts, client: IpAddr) -> Self {
        Self { still, parts: parts.clone(), client }
    }

    /// Whether the request would pass now.
    pub(crate) fn may_go_on(&self) -> bool {
        (self.still)(&self.parts, self.client)
    }
}

/// Asks now and then, for as long as there is somebody to ask about.
#[derive(Debug)]
pub(crate) struct Asks {
    begun: Option<Box<Begun>>,
    /// There once an answer has come in more than one piece, or something has been waited for: most are over before.
    timer: Option<Pin<Box<Sleep>>>,
}

impl Asks {
    pub(crate) const fn about(begun: Option<Box<Begun>>) -> Self {
        Self { begun, timer: None }
    }

    /// From now on it is asked.
    pub(crate) fn begin(&mut self) {
        if self.begun.is_some() {
            self.timer.get_or_insert_with(|| Box::pin(sleep(ASK_INTERVAL)));
        }
    }

    /// Whether it may not go on. Until then whoever polls is woken when it is time to ask.
    pub(crate) fn is_refused(&mut self, context: &mut Context<'_>) -> bool {
        let (Some(begun), Some(timer)) = (&self.begun, &mut self.timer) else { return false };
        while let Poll::Ready(()) = timer.as_mut().poll(context) {
            if !begun.may_go_on() {
                return true;
            }
            timer.as_mut().reset(Instant::now() + ASK_INTERVAL);
        }
        false
    }
}
