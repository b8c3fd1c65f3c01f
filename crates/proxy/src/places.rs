//! How many requests are in work.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// The requests in work, tunnels too.
#[derive(Debug, Default)]
pub(crate) struct Places(AtomicUsize);

/// One of them, until it is dropped.
#[derive(Debug)]
pub(crate) struct Place(Arc<Places>);

impl Places {
    /// A place, when fewer than `max` are taken.
    pub(crate) fn take(self: &Arc<Self>, max: usize) -> Option<Place> {
        let place = Place(Arc::clone(self));
        (self.0.fetch_add(1, Relaxed) < max).then_some(place)
    }

    pub(crate) fn taken(&self) -> usize {
        self.0.load(Relaxed)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Relaxed);
    }
}
