//! Stopping in order, within a stated time also when the database does not answer.

use crate::Keystead;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// How long acts in work may take to end, and usage to be written; both at once.
const WORK_TIME_MAX: Duration = Duration::from_secs(15);
/// How long unspent blocks may take to be given back.
const RETURN_TIME_MAX: Duration = Duration::from_secs(5);
/// How long the store may take to close, and the log before it.
const STORE_TIME_MAX: Duration = Duration::from_secs(5);

impl Keystead {
    /// The longest that [`Keystead::close`] takes.
    pub const CLOSE_TIME_MAX: Duration =
        WORK_TIME_MAX.saturating_add(RETURN_TIME_MAX).saturating_add(STORE_TIME_MAX.saturating_mul(2));

    /// Stops in order: ends acts in work, flushes usage, gives leases back, closes the store. Loses
    /// nothing, unless the database does not answer in time: a kill would follow a stop that waits
    /// for ever, and lose the same. What is lost then is what a kill may lose, and is logged.
    pub async fn close(self: Arc<Self>) {
        self.stopping.cancel();
        let jobs = std::mem::take(&mut *self.jobs.lock());
        let aborts: Vec<_> = jobs.iter().map(tokio::task::JoinHandle::abort_handle).collect();
        self.tasks.close();
        let work = async {
            for job in jobs {
                if let Err(error) = job.await {
                    tracing::error!(%error, "a background job did not end in order");
                }
            }
            // A lease that came in after the blocks were given back would be forfeited.
            self.tasks.wait().await;
        };
        let in_order = timeout(WORK_TIME_MAX, work).await.is_ok();
        if !in_order {
            aborts.iter().for_each(tokio::task::AbortHandle::abort);
            tracing::error!(
                acts = self.tasks.len(),
                "the database does not answer in time: acts in work were left to it, and usage that was not written is lost"
            );
        }
        match timeout(RETURN_TIME_MAX, self.return_leases()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::error!(%error, "unspent credits could not be returned; they are forfeited");
            }
            Err(_) => tracing::error!("unspent credits could not be returned in time; they are forfeited"),
        }
        // What is left to the database may yet be committed: the log's end must not say that it is over.
        if in_order && !matches!(timeout(STORE_TIME_MAX, self.store.end_session()).await, Ok(Ok(()))) {
            tracing::error!("the log beside the database was not closed");
        }
        if timeout(STORE_TIME_MAX, self.store.close()).await.is_err() {
            tracing::error!("the database's connections did not end in time, and are cut");
        }
    }

    /// Starts background work that has nothing to finish: the stop ends it wherever it is.
    pub(crate) fn keep(self: &Arc<Self>, work: impl Future<Output = ()> + Send + 'static) {
        let stopping = self.stopping.clone();
        let job = tokio::spawn(async move {
            tokio::select! {
                () = stopping.cancelled() => {}
                () = work => {}
            }
        });
        self.jobs.lock().push(job);
    }
}
