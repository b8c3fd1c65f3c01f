//! What a proxy has counted since it began.

use http::StatusCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

/// The classes of statuses, in the order of [`Numbers::answers`].
pub const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// What is counted while it serves.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    answers: [AtomicU64; CLASSES.len()],
    retries: AtomicU64,
    tunnels: AtomicUsize,
}

/// A tunnel, until it is dropped.
#[derive(Debug)]
pub(crate) struct Tunnel(Arc<Counts>);

/// What was counted, and what there is now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Numbers {
    /// Requests answered, by class of status ([`CLASSES`]).
    pub answers: [u64; CLASSES.len()],
    /// Tries beyond the first one of a request.
    pub retries: u64,
    /// Open connections of clients.
    pub connections: usize,
    /// Requests in work, tunnels too.
    pub in_flight: usize,
    /// Open tunnels.
    pub tunnels: usize,
    /// The upstreams, in the order of the settings.
    pub upstreams: Vec<UpstreamNumbers>,
}

/// The same of one upstream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpstreamNumbers {
    /// How often it could not be reached, or gave no valid answer in time.
    pub failures: u64,
    /// Whether it neither rests nor fails its checks.
    pub is_healthy: bool,
}

impl Counts {
    pub(crate) fn answered(&self, status: StatusCode) {
        let class = usize::from(status.as_u16() / 100).saturating_sub(1);
        if let Some(count) = self.answers.get(class) {
            count.fetch_add(1, Relaxed);
        }
    }

    pub(crate) fn retried(&self) {
        self.retries.fetch_add(1, Relaxed);
    }

    pub(crate) fn tunnel(self: &Arc<Self>) -> Tunnel {
        self.tunnels.fetch_add(1, Relaxed);
        Tunnel(Arc::clone(self))
    }

    /// What it counts itself.
    pub(crate) fn numbers(&self) -> Numbers {
        Numbers {
            answers: self.answers.each_ref().map(|count| count.load(Relaxed)),
            retries: self.retries.load(Relaxed),
            tunnels: self.tunnels.load(Relaxed),
            ..Numbers::default()
        }
    }
}

impl Drop for Tunnel {
    fn drop(&mut self) {
        self.0.tunnels.fetch_sub(1, Relaxed);
    }
}
