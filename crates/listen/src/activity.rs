//! What happens on one connection, and when it has been silent or slow for too long.
//!
//! hyper's own header timeout makes and drops a timer for every request and also cuts idle connections;
//! here one timer a connection looks now and then.

use crate::Bounds;
use crate::connections::Place;
use http::{Request, Version};
use http_body::Body;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::task::task_tracker::TaskTrackerToken;

/// What an open connection takes of the listener, until nothing of it is left: neither requests nor what became of it.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) _place: Place,
    pub(super) _counted: TaskTrackerToken,
}

/// Counts what happens on one connection.
#[derive(Debug, Default)]
pub(super) struct Activity {
    reads: AtomicU64,
    writes: AtomicU64,
    begun: AtomicU64,
    ended: AtomicU64,
    /// Answers whose next piece waits for the client to take it.
    owed: AtomicU64,
    /// Pieces that it took.
    taken: AtomicU64,
    http2: AtomicBool,
    /// Whether the last request has a body.
    sends: AtomicBool,
    /// How many reads there had been when it began.
    reads_before: AtomicU64,
    /// Whether the connection has become something else.
    switched: AtomicBool,
    /// Whether it was told to close.
    closes: AtomicBool,
    /// Whether nothing was in work then: all that had come was read to its end.
    rested: AtomicBool,
    /// Whether it only waits for the end of what the client sends, which has bounds of its own.
    lingers: AtomicBool,
    _held: Option<Held>,
}

impl Activity {
    pub(super) fn holding(held: Held) -> Self {
        Self { _held: Some(held), ..Self::default() }
    }

    pub(super) fn read(&self) {
        self.reads.fetch_add(1, Relaxed);
    }

    pub(super) fn wrote(&self) {
        self.writes.fetch_add(1, Relaxed);
    }

    /// A request's head has come.
    pub(super) fn begin(self: &Arc<Self>, request: &Request<impl Body>) -> InWork {
        self.begun.fetch_add(1, Relaxed);
        if request.version() == Version::HTTP_2 {
            self.http2.store(true, Relaxed);
        } else {
            self.sends.store(!request.body().is_end_stream(), Relaxed);
            self.reads_before.store(self.reads.load(Relaxed), Relaxed);
        }
        InWork { activity: Arc::clone(self), owes: false }
    }

    /// It is told to close.
    pub(super) fn close(&self) {
        self.rested.store(self.ended.load(Relaxed) == self.begun.load(Relaxed), Relaxed);
        self.closes.store(true, Relaxed);
    }

    pub(super) fn closes(&self) -> bool {
        self.closes.load(Relaxed)
    }

    /// It has become something else: its bytes are no requests any more.
    pub(super) fn switch(&self) {
        self.switched.store(true, Relaxed);
    }

    pub(super) fn linger(&self) {
        self.lingers.store(true, Relaxed);
    }

    /// Whether more may come of an HTTP/1.1 request: of its body, or of a head that was refused.
    pub(super) fn may_be_sending(&self) -> bool {
        !self.http2.load(Relaxed)
            && !self.switched.load(Relaxed)
            && !self.rested.load(Relaxed)
            && (self.sends.load(Relaxed) || self.reads.load(Relaxed) != self.reads_before.load(Relaxed))
    }
}

/// A request in work; over when dropped.
#[derive(Debug)]
pub struct InWork {
    activity: Arc<Activity>,
    owes: bool,
}

impl InWork {
    /// A piece of the answer now waits for the client, or no more. One that waits too long ends the connection: who
    /// is not read from is not polled either, and could not say so later.
    pub fn owes(&mut self, owes: bool) {
        match (self.owes, owes) {
            (false, true) => _ = self.activity.owed.fetch_add(1, Relaxed),
            (true, false) => {
                self.activity.taken.fetch_add(1, Relaxed);
                self.activity.owed.fetch_sub(1, Relaxed);
            }
            _ => {}
        }
        self.owes = owes;
    }

    /// How often something went over the connection, in either direction.
    #[must_use]
    pub fn movement(&self) -> u64 {
        self.activity.reads.load(Relaxed).wrapping_add(self.activity.writes.load(Relaxed))
    }
}

impl Clone for InWork {
    /// A part of the request that goes on behind its answer.
    fn clone(&self) -> Self {
        self.activity.begun.fetch_add(1, Relaxed);
        Self { activity: Arc::clone(&self.activity), owes: false }
    }
}

impl Drop for InWork {
    fn drop(&mut self) {
        self.owes(false);
        self.activity.ended.fetch_add(1, Relaxed);
    }
}

/// Why a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// No request for too long: it may close in order.
    Idle,
    /// A head that does not come to its end: it is cut.
    SlowHead,
    /// A client that does not take its answers: it is cut.
    Stalled,
}

/// How long a connection may take for what.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    pub(super) header: Duration,
    pub(super) idle: Duration,
    pub(super) stalled: Duration,
}

impl Patience {
    pub(super) fn new(bounds: &Bounds) -> Self {
        Self { header: bounds.header, idle: bounds.idle, stalled: bounds.stalled }
    }

    /// How often it looks: an end comes late by at most this.
    fn step(self) -> Duration {
        self.header.min(self.idle).min(self.stalled) / 4
    }
}

/// Waits until the connection has been silent or slow for too long.
pub(super) async fn watch(activity: Arc<Activity>, patience: Patience) -> End {
    let now = Instant::now();
    let mut seen = Seen { begun: 0, reads: 0, quiet_since: now, head_since: Some(now), owed: None };
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
    /// Since when nothing was taken while something was owed, and what had been taken then.
    owed: Option<(Instant, u64)>,
}

impl Seen {
    fn look(&mut self, activity: &Activity, patience: Patience, now: Instant) -> Option<End> {
        if activity.lingers.load(Relaxed) {
            return None;
        }
        if self.is_stalled(activity, patience, now) {
            return Some(End::Stalled);
        }
        // Ended before begun: a request that ends in between counts as in work, never as negative.
        let ended = activity.ended.load(Relaxed);
        let begun = activity.begun.load(Relaxed);
        let reads = activity.reads.load(Relaxed);
        if begun != self.begun || ended < begun {
            *self = Self { begun, reads, quiet_since: now, head_since: None, owed: self.owed };
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

    fn is_stalled(&mut self, activity: &Activity, patience: Patience, now: Instant) -> bool {
        if activity.owed.load(Relaxed) == 0 {
            self.owed = None;
            return false;
        }
        let taken = activity.taken.load(Relaxed);
        let (since, before) = *self.owed.get_or_insert((now, taken));
        if before != taken {
            self.owed = Some((now, taken));
            return false;
        }
        now.duration_since(since) >= patience.stalled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Patience = Patience {
        header: Duration::from_secs(10),
        idle: Duration::from_secs(75),
        stalled: Duration::from_secs(60),
    };

    fn request(version: Version) -> Request<String> {
        let mut request = Request::new(String::new());
        *request.version_mut() = version;
        request
    }

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
            1 => drop(activity.begin(&request(Version::HTTP_11))),
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
                1 => drop(activity.begin(&request(version))),
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
            1 => *held.lock() = Some(activity.begin(&request(Version::HTTP_11))),
            300 => drop(held.lock().take()),
            _ => {}
        })
        .await;
        assert_eq!(end, End::Idle);
        assert!((375..=378).contains(&seconds), "{seconds}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_nothing_of_its_answers_is_cut() {
        let held = parking_lot::Mutex::new(None);
        let (seconds, end) = ends_after(|second, activity| match second {
            1 => *held.lock() = Some(activity.begin(&request(Version::HTTP_2))),
            2..=300 => {
                if let Some(in_work) = held.lock().as_mut() {
                    in_work.owes(second % 2 == 0);
                }
            }
            // The last one was taken; from here on a piece waits, while pings are answered.
            301 => {
                if let Some(in_work) = held.lock().as_mut() {
                    in_work.owes(true);
                }
            }
            _ => _ = activity.reads.fetch_add(1, Relaxed),
        })
        .await;
        assert_eq!(end, End::Stalled);
        assert!((360..=366).contains(&seconds), "{seconds}");
    }
}
