//! How long nothing may come, looked at only while something is waited for.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep};

/// Comes back when a count has stayed the same for this long (noticed within twice that).
pub(crate) async fn rests(count: impl Fn() -> u64, time: Duration) {
    loop {
        let before = count();
        sleep(time).await;
        if before == count() {
            return;
        }
    }
}

/// A time limit on each wait.
#[derive(Debug)]
pub(crate) struct Idle {
    limit: Duration,
    /// There once something has been waited for: most small bodies never are.
    timer: Option<Pin<Box<Sleep>>>,
}

impl Idle {
    pub(crate) const fn new(limit: Duration) -> Self {
        Self { limit, timer: None }
    }

    /// Something came.
    pub(crate) fn moved(&mut self) {
        if let Some(timer) = &mut self.timer {
            timer.as_mut().reset(Instant::now() + self.limit);
        }
    }

    /// Ready when nothing came for too long.
    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(self.limit)));
        timer.as_mut().poll(context)
    }
}
