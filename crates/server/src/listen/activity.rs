//! What happens on one connection, and when it has been silent or slow for too long.
//!
//! hyper's own header timeout makes and drops a timer for every request and also cuts idle connections;
//! here one timer a connection looks now and then.

use crate::configuration::Limits;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

/// Counts what happens on one connection.
#[derive(Debug, Default)]
pub(super) struct Activity {
    reads: AtomicU64,
    begun: AtomicU64,
    ended: AtomicU64,
    http2: AtomicBool,
}

impl Activity {
    /// A request's head has come.
    pub(super) fn begin(self: &Arc<Self>, version: http::Version) -> Request {
        self.begun.fetch_add(1, Relaxed);
        if version == http::Version::HTTP_2 {
            self.http2.store(true, Relaxed);
        }
        Request(Arc::clone(self))
    }
}

/// A request in work; over when dropped.
#[derive(Debug)]
pub(super) struct Request(Arc<Activity>);

impl Drop for Request {
    fn drop(&mut self) {
        self.0.ended.fetch_add(1, Relaxed);
    }
}

/// Why a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// No request for too long: it may close in order.
    Idle,
    /// A head that does not come to its end: it is cut.
    SlowHead,
}

/// How long a connection may take for what.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    pub(super) header: Duration,
    pub(super) idle: Duration,
}

impl Patience {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            header: Duration::from_secs(limits.header_seconds_max),
            idle: Duration::from_secs(limits.idle_seconds_max),
        }
    }

    /// How often it looks: an end comes late by at most this.
    fn step(self) -> Duration {
        self.header.min(self.idle) / 4
    }
}

/// Waits until the connection has been silent or slow for too long.
pub(super) async fn watch(activity: Arc<Activity>, patience: Patience) -> End {
    let now = Instant::now();
    let mut seen = Seen { begun: 0, reads: 0, quiet_since: now, head_since: Some(now) };
    loop {
        tokio::time::sleep(patience.step()).await;
        if let Some(end) = seen.look(&activity, patience, Instant::now()) {
            return end;
        }
    }
}

/// What was there at the last look.
struct Seen {
    begun: u64,
    reads: u64,
    quiet_since: Instant,
    /// When a head was first seen arriving. A new connection owes one at once.
    head_since: Option<Instant>,
}

impl Seen {
    fn look(&mut self, activity: &Activity, patience: Patience, now: Instant) -> Option<End> {
        // Ended before begun: a request that ends in between counts as in work, never as negative.
        let ended = activity.ended.load(Relaxed);
        let begun = activity.begun.load(Relaxed);
        let reads = activity.reads.load(Relaxed);
        if begun != self.begun || ended < begun {
            *self = Self { begun, reads, quiet_since: now, head_since: None };
            return None;
        }
        // On HTTP/2 bytes come without requests: answers to pings, window updates.
        if reads != self.reads && !activity.http2.load(Relaxed) {
            self.head_since.get_or_insert(now);
        }
        if self.head_since.is_some_and(|since| now.duration_since(since) >= patience.header) {
            return Some(End::SlowHead);
        }
        (now.duration_since(self.quiet_since) >= patience.idle).then_some(End::Idle)
    }
}

/// A stream whose reads are counted.
#[derive(Debug)]
pub(super) struct Counted<I> {
    pub(super) stream: I,
    pub(super) activity: Arc<Activity>,
}

impl<I: AsyncRead + Unpin> AsyncRead for Counted<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.activity.reads.fetch_add(1, Relaxed);
        }
        polled
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Counted<I> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Version;

    const PATIENCE: Patience = Patience { header: Duration::from_secs(10), idle: Duration::from_secs(75) };

    /// When it ends, in whole seconds, while `act` is called after each second.
    async fn ends_after(act: impl Fn(u64, &Arc<Activity>)) -> (u64, End) {
        let activity = Arc::new(Activity::default());
        let begun = Instant::now();
        let mut watching = Box::pin(watch(Arc::clone(&activity), PATIENCE));
        let mut second = 0;
        loop {
            tokio::select! {
                biased;
                end = &mut watching => return (begun.elapsed().as_secs(), end),
                () = tokio::time::sleep(Duration::from_secs(1)) => {}
            }
            second += 1;
            act(second, &activity);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_sends_no_head_is_cut() {
        let (seconds, end) = ends_after(|_, activity| {
            activity.reads.fetch_add(1, Relaxed);
        })
        .await;
        assert_eq!(end, End::SlowHead);
        assert!((10..=12).contains(&seconds), "{seconds}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_that_drips_after_a_request_is_cut() {
        let (seconds, end) = ends_after(|second, activity| match second {
            1 => drop(activity.begin(Version::HTTP_11)),
            20.. => {
                activity.reads.fetch_add(1, Relaxed);
            }
            _ => {}
        })
        .await;
        assert_eq!(end, End::SlowHead);
        assert!((30..=35).contains(&seconds), "{seconds}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_connection_ends_after_its_idle_time_also_when_it_answers_pings() {
        for version in [Version::HTTP_11, Version::HTTP_2] {
            let (seconds, end) = ends_after(|second, activity| match second {
                1 => drop(activity.begin(version)),
                _ if version == Version::HTTP_2 => {
                    activity.reads.fetch_add(1, Relaxed);
                }
                _ => {}
            })
            .await;
            assert_eq!(end, End::Idle);
            assert!((76..=79).contains(&seconds), "{seconds}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_in_work_keeps_its_connection() {
        let held = parking_lot::Mutex::new(None);
        let (seconds, end) = ends_after(|second, activity| match second {
            1 => *held.lock() = Some(activity.begin(Version::HTTP_11)),
            300 => drop(held.lock().take()),
            _ => {}
        })
        .await;
        assert_eq!(end, End::Idle);
        assert!((375..=378).contains(&seconds), "{seconds}");
    }
}
