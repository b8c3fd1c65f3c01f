//! What is counted as it happens, for the metrics.

use keystead_api::Code;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counters since the start of this process.
#[derive(Debug, Default)]
pub struct Counters {
    verdicts: [AtomicU64; Code::ALL.len()],
    /// Blocks of credits or quota leased from the store.
    pub(crate) leases: AtomicU64,
    /// Administrative acts committed.
    pub(crate) acts: AtomicU64,
    /// Unknown keys that the store was asked for.
    pub(crate) seeks: AtomicU64,
    /// Rows of the change feed that were read.
    pub(crate) feed_rows: AtomicU64,
    unknown_callers: AtomicU64,
    refused_at_guards: AtomicU64,
    observed_at_guards: AtomicU64,
}

impl Counters {
    pub(crate) fn count(&self, code: Code) {
        if let Some(counter) = self.verdicts.get(code as usize) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn guarded(&self, observing: bool) {
        let counter = if observing { &self.observed_at_guards } else { &self.refused_at_guards };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Guarded requests that were refused.
    #[must_use]
    pub fn refused_at_guards(&self) -> u64 {
        self.refused_at_guards.load(Ordering::Relaxed)
    }

    /// Guarded requests that passed because their guard only observes.
    #[must_use]
    pub fn observed_at_guards(&self) -> u64 {
        self.observed_at_guards.load(Ordering::Relaxed)
    }

    pub(crate) fn count_unknown_caller(&self) {
        self.unknown_callers.fetch_add(1, Ordering::Relaxed);
    }

    /// Calls to Keystead's own API with a key that proved nothing: what guessing looks like.
    #[must_use]
    pub fn unknown_callers(&self) -> u64 {
        self.unknown_callers.load(Ordering::Relaxed)
    }

    /// Verdicts given, by code.
    pub fn verdicts(&self) -> impl Iterator<Item = (Code, u64)> {
        Code::ALL.into_iter().zip(self.verdicts.iter().map(|counter| counter.load(Ordering::Relaxed)))
    }

    /// Blocks of credits or quota leased from the store.
    #[must_use]
    pub fn leases(&self) -> u64 {
        self.leases.load(Ordering::Relaxed)
    }

    /// Administrative acts committed.
    #[must_use]
    pub fn acts(&self) -> u64 {
        self.acts.load(Ordering::Relaxed)
    }

    /// Unknown keys that the store was asked for, because another node may have made them.
    #[must_use]
    pub fn seeks(&self) -> u64 {
        self.seeks.load(Ordering::Relaxed)
    }

    /// Rows of the change feed that were read.
    #[must_use]
    pub fn feed_rows(&self) -> u64 {
        self.feed_rows.load(Ordering::Relaxed)
    }
}
