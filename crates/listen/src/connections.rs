//! How many connections are open, and whether there is room for one more.

use crate::Setup;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use tokio::sync::{Notify, watch};

/// The open connections of a listener.
#[derive(Debug, Default)]
pub struct Connections {
    open: AtomicUsize,
    closed: Notify,
}

/// One of them, until it is dropped.
#[derive(Debug)]
pub(super) struct Place(Arc<Connections>);

impl Connections {
    /// How many there are now.
    #[must_use]
    pub fn open(&self) -> usize {
        self.open.load(Relaxed)
    }

    /// Waits until there are fewer than are allowed, also when that changes. One task waits at a time.
    pub(super) async fn wait_for_place(&self, setup: &watch::Receiver<Setup>) {
        // Its own, so that a change stays unseen for who accepts.
        let mut setup = setup.clone();
        while self.open() >= setup.borrow_and_update().bounds.connections_max {
            let changed = async {
                if setup.changed().await.is_err() {
                    std::future::pending().await
                }
            };
            tokio::select! {
                () = self.closed.notified() => {}
                () = changed => {}
            }
        }
    }

    pub(super) fn take(self: &Arc<Self>) -> Place {
        self.open.fetch_add(1, Relaxed);
        Place(Arc::clone(self))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Relaxed);
        // Told to the one that waits, or kept for the next.
        self.0.closed.notify_one();
    }
}
