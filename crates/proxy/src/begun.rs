//! What a request began and goes on, an upload, a wait, an answer that streams or a tunnel, is asked about again every few
//! seconds: it ends with its key.

use crate::Still;
use futures_util::future::BoxFuture;
use http::request::Parts;
use keystead_guard::Refusal;
use std::fmt;
use std::future::pending;
use std::net::IpAddr;
use std::sync::Arc;
use std::task::Context;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// How often it is asked about: a key that dies ends it within this, and what asking takes.
const ASK_INTERVAL: Duration = Duration::from_secs(4);

/// A request as the client sent it, and who says whether it would pass now.
pub(crate) struct Begun {
    still: Still,
    parts: Parts,
    client: IpAddr,
    /// When it passed.
    since: Instant,
}

impl fmt::Debug for Begun {
    /// Without what the client sent: its key is in there.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Begun").field("client", &self.client).finish_non_exhaustive()
    }
}

impl Begun {
    pub(crate) fn new(still: Still, parts: &Parts, client: IpAddr) -> Self {
        Self { still, parts: parts.clone(), client, since: Instant::now() }
    }

    /// Comes back when the request would not pass any more; it is asked now and then, in one measure for all that it
    /// began.
    async fn refused(&self) -> Refusal {
        loop {
            let intervals = self.since.elapsed().as_secs() / ASK_INTERVAL.as_secs();
            let next = ASK_INTERVAL * u32::try_from(intervals + 1).unwrap_or(u32::MAX);
            sleep_until(self.since + next).await;
            if let Some(refusal) = (self.still)(&self.parts, self.client) {
                return refusal;
            }
        }
    }
}

/// Comes back when a request would not pass any more; never, if nobody is asked.
pub(crate) async fn refused(begun: Option<&Begun>) -> Refusal {
    match begun {
        Some(begun) => begun.refused().await,
        None => pending().await,
    }
}

/// Whether what was begun may go on, for who is polled and does not wait.
pub(crate) enum Asks {
    /// Nobody is asked, or not yet: most answers are over before.
    Not(Option<Arc<Begun>>),
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
    pub(crate) const fn about(begun: Option<Arc<Begun>>) -> Self {
        Self::Not(begun)
    }

    /// From now on it is asked.
    pub(crate) fn begin(&mut self) {
        if let Self::Not(begun) = self
            && let Some(begun) = begun.take()
        {
            *self = Self::NowAndThen(Box::pin(async move { _ = begun.refused().await }));
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
