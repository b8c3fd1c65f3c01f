//! Membership: the nodes that share a database give signs of life in it. Who gives none for a while is
//! taken off by whoever notices, each watching by its own clock alone.

use crate::Keystead;
use crate::counting::counting_after;
use crate::refused::Refused;
use crate::shares::Mode;
use crate::slot::Slot;
use keystead_domain::ids::NodeId;
use keystead_domain::time::Micros;
use keystead_store::{NodeRow, StoreError};
use parking_lot::Mutex;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// How often a sign of life is given.
const BEAT: Duration = Duration::from_secs(1);
/// How long a node may count rate limits alone after a sign of life. The same on every node, whatever its
/// bound of freshness: by it the others know when a silent one counts no more.
pub const ALONE_MAX: Duration = Duration::from_secs(10);
/// Without a sign of life for so long a node is taken off the list.
const SILENCE_MAX: Duration = Duration::from_secs(60);
/// How long after that a silent node may still be answering a request.
const DEAD_MARGIN: Duration = Duration::from_secs(5);
/// How long a node that starts waits for another one to notice it.
const JOIN_TIME_MAX: Duration = Duration::from_secs(5);
const JOIN_PAUSE: Duration = Duration::from_millis(50);

/// This node, among the others.
#[derive(Debug)]
pub(crate) struct Membership {
    pub(crate) id: NodeId,
    name: String,
    started_at: Micros,
    /// [`ALONE_MAX`], but in tests that move the clock.
    pub(crate) alone_max: Duration,
    /// Where it runs, which tells who ran there before.
    slot: Option<Slot>,
    /// Whether it has exchanged signs of life with the others.
    has_met: AtomicBool,
    beat: AtomicI64,
    /// How many nodes gave a sign of life lately, this one included.
    alive: AtomicUsize,
    watched: Mutex<Watched>,
}

/// The others' last signs of life, and when each was seen first by the clock of this process.
type Watched = HashMap<NodeId, (i64, Instant)>;

/// Another node's sign of life.
type Sign = (NodeId, i64);

impl Membership {
    pub(crate) fn new(
        id: NodeId,
        name: String,
        started_at: Micros,
        alone_max: Duration,
        slot: Option<Slot>,
    ) -> Self {
        Self {
            id,
            name,
            started_at,
            alone_max,
            slot,
            has_met: AtomicBool::new(false),
            beat: AtomicI64::new(0),
            alive: AtomicUsize::new(1),
            watched: Mutex::default(),
        }
    }

    /// The last signs of those who have been silent for longer than that.
    fn silent(&self, now: Instant, longer: Duration) -> HashSet<Sign> {
        let watched = self.watched.lock();
        let silent = watched.iter().filter(|(_, (_, since))| now.duration_since(*since) > longer);
        silent.map(|(id, (beat, _))| (*id, *beat)).collect()
    }

    /// Looks at the others. Answers who is new, and who has been silent for too long.
    fn watch(&self, others: &[NodeRow], now: Instant) -> (Vec<NodeId>, HashSet<Sign>) {
        let mut new = Vec::new();
        {
            let mut watched = self.watched.lock();
            watched.retain(|id, _| others.iter().any(|row| row.id == *id));
            for row in others {
                let seen = watched.entry(row.id).or_insert_with(|| {
                    new.push(row.id);
                    (row.beat, now)
                });
                if seen.0 != row.beat {
                    *seen = (row.beat, now);
                }
            }
        }
        let silent = self.silent(now, SILENCE_MAX.max(self.dead_after()));
        self.alive.store(1 + others.len() - silent.len(), Ordering::Relaxed);
        (new, silent)
    }

    /// A node that gave no sign of life for longer counts nothing alone any more, or is gone.
    fn dead_after(&self) -> Duration {
        self.alone_max.saturating_add(DEAD_MARGIN)
    }

    /// Who ran in this node's folder before.
    fn predecessor(&self) -> Option<NodeId> {
        self.slot.as_ref().and_then(|slot| slot.predecessor)
    }
}

/// What the others looked like, and who could and may count alone.
pub(crate) struct Met {
    others: Vec<NodeRow>,
    pub(crate) is_alone: bool,
    pub(crate) counted: Option<NodeId>,
    pub(crate) counting: Option<NodeId>,
}

impl Keystead {
    /// How many nodes share the database, as far as this one knows; itself is one of them.
    #[must_use]
    pub fn nodes_alive(&self) -> usize {
        self.membership.alive.load(Ordering::Relaxed)
    }

    /// Whether it is certain who counts rate limits; if not, keys with limits are answered `unavailable`.
    #[must_use]
    pub fn may_count(&self) -> bool {
        self.seeker.is_none() || self.shares.mode.try_read().is_ok_and(|mode| *mode != Mode::Waiting)
    }

    /// Up to which row of the change feed this node knows of everything; 0 on SQLite, where no other
    /// node writes.
    #[must_use]
    pub fn feed_mark(&self) -> i64 {
        if self.seeker.is_some() { *self.feed.borrow() } else { 0 }
    }

    /// The same, told after each round of reading it.
    #[must_use]
    pub fn feed(&self) -> watch::Receiver<i64> {
        self.feed.subscribe()
    }

    pub(crate) fn own_row(&self) -> NodeRow {
        let membership = &self.membership;
        NodeRow {
            id: membership.id,
            name: membership.name.clone(),
            version: env!("CARGO_PKG_VERSION").into(),
            started_at: membership.started_at,
            seen_at: self.clock.now(),
            beat: membership.beat.load(Ordering::Relaxed),
            feed_mark: self.feed_mark(),
        }
    }

    /// Comes among the others: waits a while for one that counts rate limits alone to notice.
    ///
    /// # Errors
    /// When the database does not answer.
    pub(crate) async fn join(&self) -> Result<(), Refused> {
        let began = Instant::now();
        self.meet().await?;
        while *self.shares.mode.read().await == Mode::Waiting {
            if began.elapsed() > JOIN_TIME_MAX {
                tracing::warn!(
                    "a node that may be dead counts the rate limits alone: until that is certain, keys with limits are answered unavailable"
                );
                return Ok(());
            }
            tokio::time::sleep(JOIN_PAUSE).await;
            self.meet().await?;
        }
        Ok(())
    }

    /// Gives signs of life until the stop, and then leaves.
    pub(crate) async fn keep_membership(self: Arc<Self>) {
        let mut met_at = Instant::now();
        loop {
            tokio::select! {
                () = self.stopping.cancelled() => break,
                () = tokio::time::sleep(BEAT) => {}
            }
            let began = Instant::now();
            match self.meet().await {
                Ok(()) => met_at = began,
                Err(error) => {
                    tracing::warn!(%error, "no sign of life could be given to the other nodes");
                    if met_at.elapsed() > self.membership.alone_max {
                        // They count without this one now, whatever its wall clock says.
                        self.sharing.set_alone_until(Micros(i64::MIN));
                    }
                }
            }
        }
        if let Err(error) = self.leave().await {
            tracing::warn!(%error, "this node could not take itself off the list of nodes");
        }
    }

    /// Gives a sign of life, looks at the others', and follows from it who counts rate limits.
    ///
    /// # Errors
    /// When the database does not answer. What was begun is gone on with at the next call.
    pub(crate) async fn meet(&self) -> Result<(), Refused> {
        self.membership.beat.fetch_add(1, Ordering::Relaxed);
        let (began, watching) = (self.clock.now(), Instant::now());
        let met = self.exchange_signs(watching).await?;
        self.membership.has_met.store(true, Ordering::Relaxed);
        let (new, silent) = self.membership.watch(&met.others, watching);
        for row in met.others.iter().filter(|row| new.contains(&row.id)) {
            tracing::info!(node = %row.id, name = row.name, version = row.version, "another node shares the database");
            if Some(row.id) == self.membership.predecessor() {
                tracing::warn!(
                    node = %row.id, name = row.name,
                    "the node that this data folder is from still runs: the folder was copied. Give each node a data folder of its own"
                );
            }
        }
        for (gone, beat) in silent {
            tracing::warn!(node = %gone, "a node has given no sign of life for long and is taken off the list");
            self.remove_node(gone, beat).await?;
        }
        self.count_as_met(&met, began).await
    }

    async fn exchange_signs(&self, watching: Instant) -> Result<Met, StoreError> {
        let own = self.own_row();
        // It is dead, or so it seems. Who gives signs of life after it was taken off is a living node of
        // which the folder was copied: taken off each time, it could never count again.
        let has_met = self.membership.has_met.load(Ordering::Relaxed);
        let predecessor = self.membership.predecessor().filter(|_| !has_met);
        let dead = self.membership.silent(watching, self.membership.dead_after());
        self.store
            .bookkeeping(move |ledger| {
                Box::pin(async move {
                    // Nodes take turns here: of two that come at once, one sees the other.
                    let counting = ledger.lock_counting_node().await?;
                    ledger.put_node(&own).await?;
                    let mut others = ledger.nodes().await?;
                    for row in others.iter().filter(|row| Some(row.id) == predecessor) {
                        ledger.remove_node(row.id, row.beat).await?;
                    }
                    others.retain(|row| row.id != own.id && Some(row.id) != predecessor);
                    let living = others.iter().filter(|row| !dead.contains(&(row.id, row.beat)));
                    let living: Vec<_> = living.map(|row| row.id).collect();
                    let next = counting_after(counting, own.id, &living);
                    if next != counting {
                        ledger.set_counting_node(next).await?;
                    }
                    Ok(Met { others, is_alone: living.is_empty(), counted: counting, counting: next })
                })
            })
            .await
    }

    async fn remove_node(&self, id: NodeId, beat: i64) -> Result<(), StoreError> {
        self.store
            .bookkeeping(move |ledger| {
                Box::pin(async move { ledger.remove_node(id, beat).await.map(|_| ()) })
            })
            .await
    }

    /// What was counted here goes to the accounts, for whoever counts next.
    async fn leave(&self) -> Result<(), Refused> {
        let mut mode = self.shares.mode.write().await;
        if *mode == Mode::Alone {
            self.surrender_rates();
        }
        *mode = Mode::Waiting;
        self.publish_rates().await?;
        self.stop_counting_alone().await?;
        let membership = &self.membership;
        Ok(self.remove_node(membership.id, membership.beat.load(Ordering::Relaxed)).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: fn(u8) -> NodeId = |id| NodeId([id; 16]);

    fn row(id: u8, beat: i64) -> NodeRow {
        NodeRow {
            id: ID(id),
            name: "host".into(),
            version: "1.0".into(),
            started_at: Micros(0),
            seen_at: Micros(0),
            beat,
            feed_mark: 0,
        }
    }

    #[test]
    fn who_gives_no_sign_of_life_is_taken_off_and_who_gives_one_stays() {
        let membership = Membership::new(ID(9), "here".into(), Micros(0), Duration::from_secs(10), None);
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let silent = |rows: &[NodeRow], seconds| membership.watch(rows, at(seconds)).1;
        assert_eq!(membership.watch(&[row(1, 1), row(2, 1)], at(0)).0, [ID(1), ID(2)]);
        assert!(silent(&[row(1, 2), row(2, 1)], 60).is_empty());
        assert_eq!(membership.silent(at(60), membership.dead_after()), HashSet::from([(ID(2), 1)]));
        assert_eq!(silent(&[row(1, 2), row(2, 1)], 61), HashSet::from([(ID(2), 1)]));
        assert_eq!(membership.alive.load(Ordering::Relaxed), 2);
        // It gave one before it was taken off.
        assert!(silent(&[row(1, 3), row(2, 2)], 62).is_empty());
        assert!(silent(&[row(1, 3)], 63).is_empty());
        // One that left and came back starts anew.
        assert!(silent(&[row(1, 3), row(2, 2)], 120).is_empty());
        assert_eq!(membership.alive.load(Ordering::Relaxed), 3);
    }
}
