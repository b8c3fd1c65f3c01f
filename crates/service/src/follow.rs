//! Following the change feed: what other nodes changed is read again and swapped in.

use crate::Keystead;
use crate::load;
use crate::refused::Refused;
use futures_util::future::try_join_all;
use keystead_store::{Change, ChangeKind, FeedReader, FeedRow, Polled};
use std::collections::HashSet;
use std::sync::atomic::Ordering;

/// Changed keys that are read again at once.
const KEYS_AT_ONCE: usize = 4;

/// How one round of following ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Followed {
    /// Everything that was committed when the round began is in the keyring.
    UpToDate,
    /// What had been missed cannot be told any more: everything must be loaded anew.
    Lost,
}

impl Keystead {
    /// Applies what the feed has, until it has no more.
    ///
    /// # Errors
    /// When the database does not answer; what was not applied is given again.
    pub(crate) async fn follow(&self, reader: &mut FeedReader) -> Result<Followed, Refused> {
        loop {
            match reader.poll().await? {
                Polled::Lost => return Ok(Followed::Lost),
                Polled::Rows { rows, more } => {
                    self.counters.feed_rows.fetch_add(rows.len() as u64, Ordering::Relaxed);
                    let (own, others): (Vec<_>, Vec<_>) =
                        rows.into_iter().partition(|row| reader.is_own(row));
                    // What this node did is in its keyring before its answer left, but for acts that are not
                    // answered yet.
                    let own = own.into_iter().filter(|row| self.appliers.is_under_way(row.kind, &row.target));
                    let mut unknown: Vec<FeedRow> = own.chain(others).collect();
                    unknown.sort_unstable_by_key(|row| row.seq);
                    self.apply_rows(unknown).await?;
                    reader.applied();
                    if !more {
                        return Ok(Followed::UpToDate);
                    }
                }
            }
        }
    }

    /// In order, because a key refers to what was made before it; keys among themselves at once.
    async fn apply_rows(&self, rows: Vec<FeedRow>) -> Result<(), Refused> {
        let mut seen = HashSet::with_capacity(rows.len());
        let mut changes: Vec<Change> = rows
            .into_iter()
            .map(|row| Change { organization_id: row.organization_id, kind: row.kind, target: row.target })
            .collect();
        // Each is read as it stands now: once is enough.
        changes.retain(|change| seen.insert((change.kind, change.target.clone())));
        for run in changes
            .chunk_by(|one, other| matches!((one.kind, other.kind), (ChangeKind::Key, ChangeKind::Key)))
        {
            for few in run.chunks(KEYS_AT_ONCE) {
                try_join_all(few.iter().map(|change| self.apply_one(change))).await?;
            }
        }
        Ok(())
    }

    /// Loads everything anew, beside what is there: counters and leased blocks go on.
    ///
    /// # Errors
    /// When the database does not answer.
    pub(crate) async fn reload(&self) -> Result<(), Refused> {
        tracing::warn!(
            "this node may have missed changes; it loads every key anew and answers `unavailable` until then"
        );
        let loaded = load::load(&self.store, &self.keyring, load::Occasion::Again).await?;
        let mut gone = Vec::new();
        self.keyring.for_each(|entry| {
            if !loaded.ids.contains(&entry.id) {
                gone.push(entry.id);
            }
        });
        gone.into_iter().for_each(|id| self.keyring.remove(id));
        self.apply_identity_keys().await?;
        for change in &loaded.skipped {
            self.apply_one(change).await?;
        }
        Ok(())
    }
}
