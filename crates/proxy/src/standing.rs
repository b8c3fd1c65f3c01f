//! What is known of an upstream, also when the settings change.

use crate::{Health, Origin};
use parking_lot::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering::Relaxed};
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
    failures_ever: AtomicU64,
    resting_until: Mutex<Option<Instant>>,
    /// Whether it fails its checks, and how often in a row they came out as the last one did.
    is_out: AtomicBool,
    streak: Mutex<(bool, u32)>,
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

    /// Whether others are asked before it.
    pub(crate) fn is_left_out(&self, now: Instant) -> bool {
        self.is_out.load(Relaxed)
            || (self.failures.load(Relaxed) >= FAILURES_MAX
                && self.resting_until.lock().is_some_and(|until| now < until))
    }

    pub(crate) fn failures_ever(&self) -> u64 {
        self.failures_ever.load(Relaxed)
    }

    /// How a check came out.
    pub(crate) fn checked(&self, origin: &Origin, health: &Health, came_out: Result<(), String>) {
        let mut streak = self.streak.lock();
        let is_good = came_out.is_ok();
        *streak = if streak.0 == is_good { (is_good, streak.1.saturating_add(1)) } else { (is_good, 1) };
        match came_out {
            Ok(()) if streak.1 >= health.successes_min && self.is_out.swap(false, Relaxed) => {
                self.answered();
                tracing::info!(upstream = %origin, "an upstream passes its checks again");
            }
            Err(why) if streak.1 >= health.failures_max && !self.is_out.swap(true, Relaxed) => {
                tracing::warn!(upstream = %origin, why, "an upstream fails its checks and is left out");
            }
            _ => {}
        }
    }

    /// It is checked no more: what checks said holds no more.
    pub(crate) fn unchecked(&self) {
        *self.streak.lock() = (false, 0);
        self.is_out.store(false, Relaxed);
    }

    /// The first failures in a row are told: not each of a flood.
    pub(crate) fn failed(&self, origin: &Origin, why: &str) {
        self.failures_ever.fetch_add(1, Relaxed);
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
