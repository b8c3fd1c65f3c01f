//! What is known of an upstream, also when the settings change.

use crate::Origin;
use parking_lot::Mutex;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;
use tokio::time::Instant;

/// Failures in a row after which an upstream is left alone, and for how long.
const FAILURES_MAX: u32 = 3;
const REST: Duration = Duration::from_secs(10);

/// What is known of one upstream.
#[derive(Debug, Default)]
pub(crate) struct Standing {
    in_flight: AtomicUsize,
    failures: AtomicU32,
    resting_until: Mutex<Option<Instant>>,
}

impl Standing {
    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight.load(Relaxed)
    }

    pub(crate) fn begin(&self) {
        self.in_flight.fetch_add(1, Relaxed);
    }

    pub(crate) fn end(&self) {
        self.in_flight.fetch_sub(1, Relaxed);
    }

    pub(crate) fn rests(&self, now: Instant) -> bool {
        self.failures.load(Relaxed) >= FAILURES_MAX
            && self.resting_until.lock().is_some_and(|until| now < until)
    }

    /// The first failures in a row are told: not each of a flood.
    pub(crate) fn failed(&self, origin: &Origin, why: &str) {
        let before = self.failures.fetch_add(1, Relaxed);
        if before < FAILURES_MAX {
            tracing::warn!(upstream = %origin, why, "an upstream does not answer");
        }
        if before + 1 >= FAILURES_MAX {
            self.failures.store(FAILURES_MAX, Relaxed);
            *self.resting_until.lock() = Some(Instant::now() + REST);
        }
    }

    pub(crate) fn answered(&self) {
        if self.failures.load(Relaxed) != 0 {
            self.failures.store(0, Relaxed);
        }
    }
}
