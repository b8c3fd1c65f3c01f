//! What a request began and goes on, a tunnel or an answer that streams, is asked about again every few seconds: it ends
//! with its key.

use crate::Still;
use futures_util::future::BoxFuture;
use http::request::Parts;
use std::fmt;
use std::net::IpAddr;
use std::task::Context;
use std::time::Duration;
use tokio::time::sleep;

/// How often it is asked about: a key that dies ends it within this, and what asking takes.
const ASK_INTERVAL: Duration = Duration::from_secs(4);

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

    /// Comes back when the request would not pass any more; it is asked now and then.
    pub(crate) async fn refused(self: Box<Self>) {
        // First: it has just passed.
        sleep(ASK_INTERVAL).await;
        while (self.still)(&self.parts, self.client) {
            sleep(ASK_INTERVAL).await;
        }
    }
}

/// Whether what was begun may go on, for who is polled and does not wait.
pub(crate) enum Asks {
    /// Nobody is asked, or not yet: most answers are over before.
    Not(Option<Box<Begun>>),
    /// It is asked now and then.
    NowAndThen(BoxFuture<'static, ()>),
    Refused,
}

impl fmt::Debug for Asks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Asks")
    }
}

impl Asks {
    pub(crate) const fn about(begun: Option<Box<Begun>>) -> Self {
        Self::Not(begun)
    }

    /// From now on it is asked.
    pub(crate) fn begin(&mut self) {
        if let Self::Not(begun) = self
            && let Some(begun) = begun.take()
        {
            *self = Self::NowAndThen(Box::pin(begun.refused()));
        }
    }

    /// Whether it may not go on. Until then whoever polls is woken when it is time to ask.
    pub(crate) fn is_refused(&mut self, context: &mut Context<'_>) -> bool {
        if let Self::NowAndThen(refused) = self
            && refused.as_mut().poll(context).is_ready()
        {
            *self = Self::Refused;
        }
        matches!(self, Self::Refused)
    }
}
