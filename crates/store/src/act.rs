//! What a unit of work is: run in a transaction, and answered when its commit is.

use crate::conn::{Ledger, Tx};
use crate::error::StoreError;
use crate::log::Touched;
use crate::tables::audit::Event;
use crate::tables::feed::{Change, Stamp};
use futures_util::future::BoxFuture;
use tokio::sync::oneshot;

/// What an act leaves: its answer, its audit records and what other nodes must hear of.
#[derive(Debug)]
pub struct Acted<T> {
    /// What the caller gets once the commit is durable.
    pub value: T,
    /// At least one: an act without an audit record is rolled back.
    pub events: Vec<Event>,
    /// One for each thing that the keyring holds and that changed.
    pub changes: Vec<Change>,
}

/// What was run, before its transaction's end is known.
pub(crate) struct Ran {
    /// Whether it is to be committed.
    pub(crate) keep: bool,
    /// The rows that it wrote.
    pub(crate) touched: Vec<Touched>,
    /// Gives the caller its answer, now that the transaction's end is known.
    pub(crate) answer: Box<dyn FnOnce(Result<(), StoreError>) + Send>,
}

/// The caller's work with its types erased.
type Work = Box<dyn for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Ran> + Send>;

/// How much an act writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// A few rows.
    Usual,
    /// Perhaps thousands: on SQLite it has no savepoint, under which each statement would take longer than the one
    /// before.
    Large,
}

/// A unit of work on its way to a transaction.
pub(crate) struct Job {
    pub(crate) size: Size,
    pub(crate) work: Work,
    /// For an error that comes before or instead of the work's own answer.
    pub(crate) refuse: oneshot::Sender<StoreError>,
}

/// The caller's end of a [`Job`].
pub(crate) struct Answer<T, E> {
    answer: oneshot::Receiver<Result<T, E>>,
    refusal: oneshot::Receiver<StoreError>,
}

impl<T, E: From<StoreError>> Answer<T, E> {
    pub(crate) async fn wait(self) -> Result<T, E> {
        if let Ok(answer) = self.answer.await {
            return answer;
        }
        // Neither answered: the runtime is shutting down, and a commit may have been under way.
        Err(self.refusal.await.unwrap_or(StoreError::OutcomeUnknown).into())
    }
}

/// An act's job: the work, then its audit records and feed rows.
pub(crate) fn act<T, E, W>(stamp: Stamp, work: W) -> (Job, Answer<T, E>)
where
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
    W: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<Acted<T>, E>> + Send + 'static,
{
    job(move |tx| {
        Box::pin(async move {
            let acted = work(tx).await?;
            if acted.events.is_empty() {
                return Err(StoreError::Unaudited.into());
            }
            for event in &acted.events {
                tx.insert_event(event).await?;
                tx.touch("audit", event.id.0);
            }
            for change in &acted.changes {
                tx.insert_change(stamp, change).await?;
            }
            Ok(acted.value)
        })
    })
}

/// A bookkeeping's job.
pub(crate) fn bookkeeping<T, E, W>(work: W) -> (Job, Answer<T, E>)
where
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
    W: for<'t> FnOnce(&'t mut Ledger) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
{
    job(move |tx| work(tx))
}

fn job<T, E, W>(work: W) -> (Job, Answer<T, E>)
where
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
    W: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
{
    let (reply, answer) = oneshot::channel();
    let (refuse, refusal) = oneshot::channel();
    let work: Work = Box::new(move |tx| {
        Box::pin(async move {
            let mut result = work(tx).await;
            if result.is_ok()
                && let Err(error) = tx.flush().await
            {
                result = Err(error.into());
            }
            if let Some(failure) = tx.take_failure()
                && result.is_ok()
            {
                result = Err(failure.into());
            }
            let (keep, touched) = (result.is_ok(), tx.take_touched());
            let answer = Box::new(move |end: Result<(), StoreError>| {
                // The caller may have gone; the commit stands all the same.
                let _ = reply.send(result.and_then(|value| end.map(|()| value).map_err(E::from)));
            });
            Ran { keep, touched, answer }
        })
    });
    (Job { size: Size::Usual, work, refuse }, Answer { answer, refusal })
}
