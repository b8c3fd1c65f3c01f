//! Acts on many things, of which some or all may come to nothing: what came of each is answered
//! either way, and the store is only changed where something was done.

use crate::Keystead;
use crate::caller::Caller;
use crate::refused::Refused;
use crate::replay::Answer;
use futures_util::future::BoxFuture;
use keystead_store::{Acted, Size, Tx};
use parking_lot::Mutex;
use std::sync::Arc;

impl Keystead {
    /// Runs the work in one transaction, and keeps what it did if `keep` says so and it did
    /// anything: an act without an audit record cannot be kept.
    ///
    /// # Errors
    /// As [`Keystead::act_once`].
    pub(crate) async fn act_some<T, W>(
        self: &Arc<Self>,
        caller: &Caller,
        keep: bool,
        work: W,
    ) -> Result<T, Refused>
    where
        T: Answer,
        W: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<Acted<T>, Refused>> + Send + 'static,
    {
        let undone = Arc::new(Mutex::new(None));
        let answer = Arc::clone(&undone);
        let result = self
            .act_once_of(caller, Size::Large, move |tx| {
                Box::pin(async move {
                    let acted = work(tx).await?;
                    if keep && !acted.events.is_empty() {
                        return Ok(acted);
                    }
                    *answer.lock() = Some(acted.value);
                    // Rolls back; the answer is given all the same.
                    Err(Refused::StillRunning)
                })
            })
            .await;
        let undone = undone.lock().take();
        undone.map_or(result, Ok)
    }
}
