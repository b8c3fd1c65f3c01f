//! A key that this node does not know, though its id is well formed: another node may have made it a
//! moment ago, so the store is asked. One question for each id at a time, and so many a second at
//! most: garbage with a right checksum cannot flood the database.

use crate::Keystead;
use crate::refused::Refused;
use keystead_domain::entry::Entry;
use keystead_domain::ids::KeyId;
use keystead_domain::time::{Micros, SECOND};
use keystead_domain::token::Token;
use keystead_store::{Change, ChangeKind};
use parking_lot::Mutex;
use std::collections::hash_map::{self, HashMap};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Questions a second, and at once. Beyond them the change feed brings the key a moment later.
const A_SECOND: i64 = 200;
/// How long a request waits for the answer, its turn included.
pub(crate) const TIME_MAX: Duration = Duration::from_secs(1);

/// Which questions are under way, and how many may still be asked.
#[derive(Debug)]
pub(crate) struct Seeker {
    /// [`TIME_MAX`], but in tests, which may run on anything.
    time_max: Duration,
    asked: Mutex<HashMap<KeyId, Question>>,
    /// When all that was asked will have been paid for.
    paid_at: Mutex<Micros>,
}

/// A question that is under way.
#[derive(Debug, Default)]
struct Question {
    turn: Arc<tokio::sync::Mutex<()>>,
    /// How many wait for its answer.
    askers: usize,
}

/// Somebody who waits for the answer to a question. It ends with whoever waits, also when the client has
/// gone: what stayed would be a leak that anybody can fill.
struct Asker<'a> {
    seeker: &'a Seeker,
    id: KeyId,
}

impl Drop for Asker<'_> {
    fn drop(&mut self) {
        if let hash_map::Entry::Occupied(mut question) = self.seeker.asked.lock().entry(self.id) {
            question.get_mut().askers -= 1;
            if question.get().askers == 0 {
                question.remove();
            }
        }
    }
}

impl Seeker {
    pub(crate) fn new(time_max: Duration) -> Self {
        Self { time_max, asked: Mutex::default(), paid_at: Mutex::default() }
    }

    fn may_ask(&self, now: Micros) -> bool {
        let mut paid_at = self.paid_at.lock();
        // A clock that stepped back must not stop questions for as long as the step.
        let from = (*paid_at).clamp(now, now.plus(SECOND));
        let next = from.plus(SECOND / A_SECOND);
        let may = next.since(now) <= SECOND;
        *paid_at = if may { next } else { from };
        may
    }

    /// Looks when nobody else looks for the same key; what it finds, or `false` when there is no time.
    async fn in_turn(&self, id: KeyId, look: impl Future<Output = bool>) -> bool {
        let _asker = Asker { seeker: self, id };
        let turn = {
            let mut asked = self.asked.lock();
            let question = asked.entry(id).or_default();
            question.askers += 1;
            Arc::clone(&question.turn)
        };
        let looks = async {
            let _turn = turn.lock().await;
            look.await
        };
        tokio::time::timeout(self.time_max, looks).await.unwrap_or(false)
    }
}

impl Keystead {
    /// Looks for an unknown key in the store; whether it is worth asking the keyring again.
    pub(crate) async fn seek(&self, token: &str) -> bool {
        let (Some(seeker), Some(token)) = (&self.seeker, Token::parse(token)) else {
            return false;
        };
        let (id, now) = (token.id(), self.clock.now());
        if self.keyring.knows(id) || self.keyring.is_stale(now) {
            return false;
        }
        let look = async { self.keyring.knows(id) || (seeker.may_ask(now) && self.fetch(id).await) };
        // Apart: as a part of the future it would be moved about for every request.
        Box::pin(seeker.in_turn(id, look)).await
    }

    async fn fetch(&self, id: KeyId) -> bool {
        self.counters.seeks.fetch_add(1, Ordering::Relaxed);
        let organization = match self.store.read().await {
            Ok(mut reader) => reader.organization_of_key(id).await,
            Err(error) => Err(error),
        };
        let Ok(Some(organization)) = organization else { return false };
        let change = Change::new(organization, ChangeKind::Key, id.as_bytes());
        match self.apply_with_parent(&change, id).await {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!(%error, "a key that another node made could not be read");
                false
            }
        }
    }

    /// A key that was minted a moment ago may have a parent that this node has not heard of either.
    async fn apply_with_parent(&self, change: &Change, id: KeyId) -> Result<(), Refused> {
        self.apply_one(change).await?;
        let entry = self.keyring.get(id);
        let unheard = entry.as_ref().and_then(Entry::parent).filter(|parent| parent.now().is_none());
        match unheard {
            Some(parent) => {
                let organization = change.organization_id;
                self.apply_one(&Change::new(organization, ChangeKind::Key, parent.id.as_bytes())).await
            }
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    #[test]
    fn a_flood_of_unknown_ids_asks_so_often_a_second_and_no_more() {
        let (seeker, start) = (Seeker::new(TIME_MAX), Micros(1_767_225_600_000_000));
        let ask = |now: Micros| (0..1_000).filter(|_| seeker.may_ask(now)).count();
        assert_eq!(ask(start), 200);
        assert_eq!(ask(start.plus(SECOND / 2)), 100);
        assert_eq!(ask(start.plus(-3_600 * SECOND)), 0);
        assert_eq!(ask(start.plus(-3_599 * SECOND)), 200);
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_for_anothers_question_waits_no_longer_than_for_its_own() {
        let (seeker, id) = (Seeker::new(TIME_MAX), KeyId::from_slice(b"AAAAAAAAAAAA").unwrap());
        let mut looks = Box::pin(seeker.in_turn(id, std::future::pending()));
        assert!((&mut looks).now_or_never().is_none());
        let began = tokio::time::Instant::now();
        assert!(!seeker.in_turn(id, std::future::ready(true)).await);
        assert_eq!(began.elapsed(), TIME_MAX);
    }

    #[tokio::test]
    async fn a_client_that_goes_away_leaves_nothing_behind() {
        let (seeker, id) = (Seeker::new(TIME_MAX), KeyId::from_slice(b"AAAAAAAAAAAA").unwrap());
        let mut looks = Box::pin(seeker.in_turn(id, std::future::pending()));
        let mut waits = Box::pin(seeker.in_turn(id, std::future::ready(true)));
        assert!((&mut looks).now_or_never().is_none());
        assert!((&mut waits).now_or_never().is_none());
        drop(looks);
        assert_eq!(seeker.asked.lock().len(), 1, "somebody still waits");
        assert!(waits.await);
        assert!(seeker.asked.lock().is_empty());
        let mut alone = Box::pin(seeker.in_turn(id, std::future::pending()));
        assert!((&mut alone).now_or_never().is_none());
        drop(alone);
        assert!(seeker.asked.lock().is_empty());
    }
}
