//! `Idempotency-Key`: an act that is asked for again is answered again and not done again.
//!
//! What was answered is written in the transaction of the act itself, so a crash leaves both or
//! neither. A secret in an answer is given again for ten minutes; later the ids alone are.

use crate::Keystead;
use crate::caller::Caller;
use crate::refused::Refused;
use futures_util::future::BoxFuture;
use hashbrown::HashSet;
use keystead_api::{
    Approval, BulkOutcome, Consumer, CreatedKey, CreatedKeys, CreatedOrganization, Environment,
    IdentityProvider, ImportedKeys, Key, KeyRotation, Member, Notice, Permission, Policy, Project,
    RedeemedKey, RevealedKey, Role, RotatedKey, ServiceAccount, Team, TeamMembers,
};
use keystead_domain::replay::{IdempotencyKey, ReplayKeys};
use keystead_domain::time::{Micros, SECOND};
use keystead_store::{Acted, ReplayRow, Size, Tx};
use parking_lot::Mutex;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use std::time::Duration;
use zeroize::Zeroizing;

/// How long an answer that holds a secret is given again.
const SECRET_KEPT_MICROS: i64 = 600 * SECOND;
/// How long a request is remembered.
const KEPT_MICROS: i64 = 86_400 * SECOND;
/// How often what is over is purged; reading does not wait for it.
const PURGE_EVERY: Duration = Duration::from_secs(60);

/// An act's answer, which can be given again.
pub(crate) trait Answer: Serialize + DeserializeOwned + Send + 'static {
    /// What stays of it when its secrets are no longer given again: the ids of what was made.
    /// `None` when it holds no secret.
    fn ids(&self) -> Option<Vec<String>> {
        None
    }
}

impl Answer for CreatedKey {
    fn ids(&self) -> Option<Vec<String>> {
        Some(vec![self.details.id.clone()])
    }
}

impl Answer for CreatedKeys {
    fn ids(&self) -> Option<Vec<String>> {
        Some(self.items.iter().map(|key| key.details.id.clone()).collect())
    }
}

impl Answer for RevealedKey {
    fn ids(&self) -> Option<Vec<String>> {
        Some(vec![self.id.clone()])
    }
}

impl Answer for CreatedOrganization {
    fn ids(&self) -> Option<Vec<String>> {
        Some(vec![self.organization.id.clone(), self.key_id.clone()])
    }
}

impl Answer for RotatedKey {
    fn ids(&self) -> Option<Vec<String>> {
        self.created.ids()
    }
}

impl Answer for BulkOutcome {
    fn ids(&self) -> Option<Vec<String>> {
        let ids = || self.rotated.iter().map(|new| new.created.details.id.clone()).collect();
        (!self.rotated.is_empty()).then(ids)
    }
}

impl Answer for RedeemedKey {
    fn ids(&self) -> Option<Vec<String>> {
        self.key.as_ref().map(|_| vec![self.details.id.clone()])
    }
}

impl Answer for Approval {}
impl Answer for Consumer {}
impl Answer for Environment {}
impl Answer for IdentityProvider {}
impl Answer for ImportedKeys {}
impl Answer for Key {}
impl Answer for KeyRotation {}
impl Answer for Member {}
impl Answer for Notice {}
impl Answer for Policy {}
impl Answer for Permission {}
impl Answer for Project {}
impl Answer for Role {}
impl Answer for Team {}
impl Answer for TeamMembers {}
impl Answer for ServiceAccount {}

/// The `Idempotency-Key`s whose acts run now in this process.
#[derive(Debug, Default)]
pub(crate) struct InFlight(Mutex<HashSet<[u8; 32]>>);

/// A place among [`InFlight`], given back when the act has ended.
struct Turn {
    keystead: Arc<Keystead>,
    id: [u8; 32],
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.keystead.in_flight.0.lock().remove(&self.id);
    }
}

impl Keystead {
    /// Runs an act of a caller to its end. Where the caller sent an `Idempotency-Key` that was
    /// answered before, the act does not run and the answer is given again.
    ///
    /// # Errors
    /// The act's own; and when the same header came with another request, while the first one still
    /// runs, or when the answer's secret is no longer kept.
    pub(crate) async fn act_once<T, W>(self: &Arc<Self>, caller: &Caller, work: W) -> Result<T, Refused>
    where
        T: Answer,
        W: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<Acted<T>, Refused>> + Send + 'static,
    {
        self.act_once_of(caller, Size::Usual, work).await
    }

    /// As [`Self::act_once`], of an act that says how much it writes.
    ///
    /// # Errors
    /// As [`Self::act_once`].
    pub(crate) async fn act_once_of<T, W>(
        self: &Arc<Self>,
        caller: &Caller,
        size: Size,
        work: W,
    ) -> Result<T, Refused>
    where
        T: Answer,
        W: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<Acted<T>, Refused>> + Send + 'static,
    {
        let Some(sent) = &caller.origin.idempotency else {
            return self.act_of(size, work).await;
        };
        let keys = Arc::new(self.replay_keys(caller, sent)?);
        let id = *keys.id();
        if !self.in_flight.0.lock().insert(id) {
            return Err(Refused::StillRunning);
        }
        let turn = Turn { keystead: Arc::clone(self), id };
        let organization = caller.organization();
        // The turn must outlive the commit, and the caller: whoever asks again meanwhile would be
        // told of an act whose commit may yet fail.
        let task = self.tasks.spawn(async move {
            let row = ReplayRow {
                id,
                organization_id: organization,
                request: *keys.request(),
                at: turn.keystead.clock.now(),
                ids: String::new(),
                answer: None,
                answer_until: Micros(i64::MIN),
            };
            turn.keystead.run_once(keys, row, size, work).await
        });
        task.await.map_err(|_| Refused::Internal("an act did not run to its end".into()))?
    }

    /// What was answered to this caller under the same `Idempotency-Key`, for an act that would look
    /// at what it left behind before it could be asked for again.
    ///
    /// # Errors
    /// As [`Self::act_once`].
    pub(crate) async fn answered_before<T: Answer>(&self, caller: &Caller) -> Result<Option<T>, Refused> {
        let Some(sent) = &caller.origin.idempotency else { return Ok(None) };
        let (keys, now) = (self.replay_keys(caller, sent)?, self.clock.now());
        let row = self.store.read().await?.replay(keys.id()).await?;
        row.filter(|row| row.at > now.plus(-KEPT_MICROS)).map(|row| again(&keys, &row, now)).transpose()
    }

    async fn run_once<T, W>(
        self: &Arc<Self>,
        keys: Arc<ReplayKeys>,
        row: ReplayRow,
        size: Size,
        work: W,
    ) -> Result<T, Refused>
    where
        T: Answer,
        W: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<Acted<T>, Refused>> + Send + 'static,
    {
        let now = row.at;
        let earlier = Arc::new(Mutex::new(None));
        let (this, sealing, found) = (Arc::clone(self), Arc::clone(&keys), Arc::clone(&earlier));
        let result = self
            .act_of(size, move |tx| {
                Box::pin(async move {
                    if !tx.claim_replay(&row, now.plus(-KEPT_MICROS)).await? {
                        *found.lock() = tx.replay(&row.id).await?;
                        return Err(Refused::StillRunning);
                    }
                    let acted = work(tx).await?;
                    tx.record_replay(&this.recorded(&sealing, row, &acted.value)?).await?;
                    Ok(acted)
                })
            })
            .await;
        match earlier.lock().take() {
            Some(row) => again(&keys, &row, now),
            None => result,
        }
    }

    fn recorded<T: Answer>(
        &self,
        keys: &ReplayKeys,
        row: ReplayRow,
        answer: &T,
    ) -> Result<ReplayRow, Refused> {
        let json = Zeroizing::new(serde_json::to_vec(answer).map_err(|_| unreadable())?);
        let sealed = self.entropy.with(|rng| keys.seal(&json, rng)).map_err(|_| unreadable())?;
        let (kept, ids) = match answer.ids() {
            Some(ids) => (SECRET_KEPT_MICROS, crate::present::to_json(&ids)?),
            None => (KEPT_MICROS, String::new()),
        };
        Ok(ReplayRow { answer: Some(sealed), answer_until: row.at.plus(kept), ids, ..row })
    }

    fn replay_keys(&self, caller: &Caller, sent: &IdempotencyKey) -> Result<ReplayKeys, Refused> {
        let pepper = self.keyring.current_pepper().ok_or_else(|| Refused::Internal("no pepper".into()))?;
        ReplayKeys::derive(pepper, caller.organization(), caller.key_id(), sent).ok_or_else(unreadable)
    }

    /// Purges what is no longer given again, until the stop.
    pub(crate) async fn keep_replays(self: Arc<Self>) {
        let mut ticks = tokio::time::interval(PURGE_EVERY);
        loop {
            ticks.tick().await;
            let now = self.clock.now();
            let purged = self.store.bookkeeping(move |ledger| {
                Box::pin(async move { ledger.purge_replays(now, now.plus(-KEPT_MICROS)).await })
            });
            if let Err(error) = purged.await {
                tracing::warn!(%error, "answers kept for Idempotency-Key could not be purged");
            }
        }
    }
}

/// The answer of before, for the same request.
fn again<T: Answer>(keys: &ReplayKeys, row: &ReplayRow, now: Micros) -> Result<T, Refused> {
    if row.request != *keys.request() {
        return Err(Refused::AnotherRequest);
    }
    match &row.answer {
        Some(sealed) if now < row.answer_until => {
            let json = keys.open(sealed).map_err(|_| unreadable())?;
            serde_json::from_slice(&json).map_err(|_| unreadable())
        }
        _ if row.ids.is_empty() => Err(Refused::StillRunning),
        _ => Err(Refused::SecretNotKept { ids: crate::present::json(&row.ids)? }),
    }
}

fn unreadable() -> Refused {
    Refused::Internal("an answer for an Idempotency-Key could not be sealed or opened".into())
}
