//! Membership: the nodes that share a database give signs of life in it. Who gives none for a while
//! is taken off by whoever notices, each watching by its own clock alone.

use crate::Keystead;
use crate::refused::Refused;
use keystead_domain::ids::NodeId;
use keystead_domain::time::Micros;
use keystead_store::{NodeRow, StoreError};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// How often a sign of life is given.
const BEAT: Duration = Duration::from_secs(1);
/// Without a sign of life for so long a node is taken off the list.
const SILENCE_MAX: Duration = Duration::from_secs(60);

/// This node, among the others.
#[derive(Debug)]
pub(crate) struct Membership {
    id: NodeId,
    name: String,
    started_at: Micros,
    beat: AtomicI64,
    /// How many nodes gave a sign of life lately, this one included.
    alive: AtomicUsize,
    /// The others' last signs of life, and when they were seen first by the clock of this process.
    watched: Mutex<HashMap<NodeId, (i64, Instant)>>,
}

impl Membership {
    pub(crate) fn new(id: NodeId, name: String, started_at: Micros) -> Self {
        let watched = Mutex::default();
        Self { id, name, started_at, beat: AtomicI64::new(0), alive: AtomicUsize::new(1), watched }
    }

    /// Looks at the others; those that have been silent for too long, with their last sign.
    fn watch(&self, others: &[NodeRow], now: Instant) -> Vec<(NodeId, i64)> {
        let mut watched = self.watched.lock();
        watched.retain(|id, _| others.iter().any(|row| row.id == *id));
        let mut silent = Vec::new();
        for row in others {
            let seen = watched.entry(row.id).or_insert((row.beat, now));
            if seen.0 != row.beat {
                *seen = (row.beat, now);
            } else if now.duration_since(seen.1) > SILENCE_MAX {
                silent.push((row.id, row.beat));
            }
        }
        self.alive.store(1 + watched.len() - silent.len(), Ordering::Relaxed);
        silent
    }
}

impl Keystead {
    /// How many nodes share the database, as far as this one knows; itself is one of them.
    #[must_use]
    pub fn nodes_alive(&self) -> usize {
        self.membership.alive.load(Ordering::Relaxed)
    }

    /// Up to which row of the change feed this node knows of everything; 0 on SQLite, where no other
    /// node writes.
    #[must_use]
    pub fn feed_mark(&self) -> i64 {
        if self.seeker.is_some() { self.feed_mark.load(Ordering::Relaxed) } else { 0 }
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

    /// Gives signs of life until the stop, and then takes itself off the list.
    pub(crate) async fn keep_membership(self: Arc<Self>) {
        loop {
            tokio::select! {
                () = self.stopping.cancelled() => break,
                () = tokio::time::sleep(BEAT) => {}
            }
            if let Err(error) = self.give_sign_of_life().await {
                tracing::warn!(%error, "no sign of life could be given to the other nodes");
            }
        }
        let (id, beat) = (self.membership.id, self.membership.beat.load(Ordering::Relaxed));
        let left: Result<bool, StoreError> = self
            .store
            .bookkeeping(move |ledger| Box::pin(async move { ledger.remove_node(id, beat).await }))
            .await;
        if let Err(error) = left {
            tracing::warn!(%error, "this node could not take itself off the list of nodes");
        }
    }

    /// One sign of life. Takes off the list who has given none for too long.
    ///
    /// # Errors
    /// When the database does not answer.
    pub(crate) async fn give_sign_of_life(&self) -> Result<(), Refused> {
        self.membership.beat.fetch_add(1, Ordering::Relaxed);
        let own = self.own_row();
        let (id, version) = (own.id, own.version.clone());
        let watching = Instant::now();
        let others = self
            .store
            .bookkeeping(move |ledger| {
                Box::pin(async move {
                    ledger.put_node(&own).await?;
                    let mut rows = ledger.nodes().await?;
                    rows.retain(|row| row.id != own.id);
                    Ok::<_, StoreError>(rows)
                })
            })
            .await?;
        let known = self.membership.watched.lock().keys().copied().collect::<Vec<_>>();
        for row in others.iter().filter(|row| !known.contains(&row.id)) {
            tracing::info!(node = %row.id, name = row.name, version = row.version, own = version, "another node shares the database");
        }
        let silent = self.membership.watch(&others, watching);
        for (gone, beat) in silent {
            tracing::warn!(node = %gone, by = %id, "a node has given no sign of life for a minute and is taken off the list");
            self.store
                .bookkeeping(move |ledger| {
                    Box::pin(async move { ledger.remove_node(gone, beat).await.map(|_| ()) })
                })
                .await
                .map_err(|error: StoreError| error)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: u8, beat: i64) -> NodeRow {
        NodeRow {
            id: NodeId([id; 16]),
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
        let membership = Membership::new(NodeId([9; 16]), "here".into(), Micros(0));
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        assert!(membership.watch(&[row(1, 1), row(2, 1)], at(0)).is_empty());
        assert!(membership.watch(&[row(1, 2), row(2, 1)], at(60)).is_empty());
        assert_eq!(membership.watch(&[row(1, 2), row(2, 1)], at(61)), [(NodeId([2; 16]), 1)]);
        assert_eq!(membership.alive.load(Ordering::Relaxed), 2);
        // It gave one before it was taken off.
        assert!(membership.watch(&[row(1, 3), row(2, 2)], at(62)).is_empty());
        assert!(membership.watch(&[row(1, 3)], at(63)).is_empty());
        // One that left and came back starts anew.
        assert!(membership.watch(&[row(1, 3), row(2, 2)], at(120)).is_empty());
        assert_eq!(membership.alive.load(Ordering::Relaxed), 3);
    }
}
