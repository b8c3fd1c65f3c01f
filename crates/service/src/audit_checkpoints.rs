//! Signing what the audit's trees are, and handing that out: who holds a checkpoint elsewhere finds out when
//! what it vouches for is changed here.

use crate::Keystead;
use crate::audit_export::checkpoint;
use crate::audit_tree::{of, tree_of};
use crate::caller::Caller;
use crate::cursor::Cut;
use crate::management;
use crate::refused::Refused;
use keystead_api::{AuditCheckpoint, Page, PageQuery};
use keystead_domain::audit::checkpoint::Checkpoint;
use keystead_domain::audit::tree::Tree;
use keystead_domain::ids::{CheckpointId, OrganizationId};
use keystead_domain::time::{Micros, SECOND};
use keystead_store::{AuditTreeRow, CheckpointRow, LEAVES_AT_ONCE};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::sync::broadcast;

/// How long every checkpoint is kept.
const ALL_KEPT_MICROS: i64 = 30 * 86_400 * SECOND;
/// Trees that are signed, or checkpoints that are forgotten, in one transaction.
const TREES_AT_ONCE: u32 = 256;
/// Why a tree is not signed.
const REWRITTEN: &str = "its records are not those that this server signed: they were rewritten in the database. \
    Keep a copy of it, and verify that with the checkpoints that were kept elsewhere";

impl Keystead {
    /// The notes of checkpoints that this node signs from now on, for whoever publishes them.
    #[must_use]
    pub fn signed_checkpoints(&self) -> broadcast::Receiver<Arc<str>> {
        self.audit.signed.subscribe()
    }

    /// Signs when no other node has done it in this turn.
    pub(crate) async fn sign_audit_in_turn(self: &Arc<Self>) -> Result<(), Refused> {
        let now = self.clock.now();
        // A little less than a turn, so that one node alone does it at each of its ticks.
        let turn = self.audit.settings.checkpoint_every.mul_f32(0.95).as_micros();
        let next = now.plus(i64::try_from(turn).unwrap_or(i64::MAX));
        let claimed = self
            .store
            .bookkeeping(move |ledger| {
                Box::pin(
                    async move { Ok::<_, Refused>(ledger.claim_job("audit_checkpoints", now, next).await?) },
                )
            })
            .await?;
        if claimed { self.sign_audit().await } else { Ok(()) }
    }

    /// Signs every tree that has grown since its last checkpoint.
    ///
    /// # Errors
    /// When the database cannot answer, or with the first organization whose tree cannot be signed: the others'
    /// are.
    pub async fn sign_audit(self: &Arc<Self>) -> Result<(), Refused> {
        // Held to the end: who signs beside would find that less was seen than is there.
        let mut seen = self.audit.seen.lock().await;
        let (mut after, mut first) = (None, Ok(()));
        loop {
            let grown = self.store.read().await?.grown_audit_trees(after, TREES_AT_ONCE).await?;
            after = grown.last().map(|row| row.organization_id);
            let mut signed = Vec::new();
            for row in &grown {
                match self.grown(row, seen.get(&row.organization_id)).await {
                    Ok(tree) => signed.push((self.signed(row, &tree), tree)),
                    Err(Refused::Unavailable) => return first.and(Err(Refused::Unavailable)),
                    Err(error) => {
                        let error = of(row.organization_id, &error);
                        tracing::error!(%error, "the audit was not signed");
                        first = first.and(Err(error));
                    }
                }
            }
            self.keep_signed(signed, &mut seen).await?;
            if grown.len() < TREES_AT_ONCE as usize {
                return first;
            }
        }
    }

    /// The tree that a row says there is. What this node signed before is in it: else somebody has rewritten the
    /// audit, and would have that signed.
    async fn grown(&self, row: &AuditTreeRow, seen: Option<&Tree>) -> Result<Tree, Refused> {
        let claimed = tree_of(row)?;
        let Some(mut tree) = seen.cloned() else { return Ok(claimed) };
        let mut reader = self.store.read().await?;
        let rewritten = || Refused::Internal(REWRITTEN.to_owned());
        let mut place = i64::try_from(tree.size()).map_err(|_| rewritten())?;
        while place < row.size {
            let to = row.size.min(place.saturating_add(i64::from(LEAVES_AT_ONCE)));
            for leaf in reader.audit_leaves(row.organization_id, place, to).await? {
                if leaf.position != place {
                    return Err(rewritten());
                }
                tree.add(&leaf.leaf);
                place += 1;
            }
            if place < to {
                return Err(rewritten());
            }
        }
        if tree == claimed { Ok(tree) } else { Err(rewritten()) }
    }

    fn signed(&self, row: &AuditTreeRow, tree: &Tree) -> CheckpointRow {
        let origin = Checkpoint::origin(row.organization_id);
        let checkpoint = Checkpoint { origin, size: tree.size(), root: tree.root() };
        CheckpointRow {
            id: self.entropy.with(|rng| CheckpointId::random(rng)),
            organization_id: row.organization_id,
            size: row.size,
            note: self.audit.signer.sign(&checkpoint),
            created_at: self.clock.now(),
        }
    }

    /// Into the database, then to whoever publishes them.
    async fn keep_signed(
        &self,
        signed: Vec<(CheckpointRow, Tree)>,
        seen: &mut HashMap<OrganizationId, Tree>,
    ) -> Result<(), Refused> {
        if signed.is_empty() {
            return Ok(());
        }
        let rows: Vec<CheckpointRow> = signed.iter().map(|(row, _)| row.clone()).collect();
        self.store
            .bookkeeping(move |ledger| {
                Box::pin(async move {
                    for row in &rows {
                        ledger.insert_checkpoint(row).await?;
                    }
                    Ok::<_, Refused>(())
                })
            })
            .await?;
        for (row, tree) in signed {
            seen.insert(row.organization_id, tree);
            self.publish(&row);
        }
        Ok(())
    }

    /// Forgets old checkpoints but each day's last, so that one a minute does not fill the database.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn thin_checkpoints(&self) -> Result<(), Refused> {
        let before = self.clock.now().plus(-ALL_KEPT_MICROS);
        // What this node looked through it need not look through again.
        let since = Micros(self.audit.thinned_to.load(Ordering::Relaxed));
        loop {
            let passed = self.store.read().await?.passed_checkpoints(since, before, TREES_AT_ONCE).await?;
            let is_last = passed.len() < TREES_AT_ONCE as usize;
            self.store
                .bookkeeping(move |ledger| {
                    Box::pin(async move {
                        for id in passed {
                            ledger.delete_checkpoint(id).await?;
                        }
                        Ok::<_, Refused>(())
                    })
                })
                .await?;
            if is_last {
                self.audit.thinned_to.store(before.0, Ordering::Relaxed);
                return Ok(());
            }
        }
    }

    /// To the log and whoever listens, once it is committed.
    fn publish(&self, row: &CheckpointRow) {
        tracing::info!(
            organization = %row.organization_id,
            size = row.size,
            checkpoint = row.note,
            "the audit was signed"
        );
        // Nobody listens where nobody publishes.
        let _ = self.audit.signed.send(row.note.as_str().into());
    }

    /// The note of each tree's newest checkpoint, for whoever publishes them and has missed some.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn newest_checkpoints(&self) -> Result<Vec<Arc<str>>, Refused> {
        let (mut reader, mut notes) = (self.store.read().await?, Vec::new());
        for tree in reader.audit_trees().await? {
            let newest = reader.audit_checkpoints(tree.organization_id, None, 1).await?;
            notes.extend(newest.into_iter().map(|row| Arc::from(row.note)));
        }
        Ok(notes)
    }

    /// An organization's checkpoints, newest first.
    ///
    /// # Errors
    /// When the caller may not read the audit.
    pub async fn list_checkpoints(
        self: &Arc<Self>,
        caller: &Caller,
        query: &PageQuery,
    ) -> Result<Page<AuditCheckpoint>, Refused> {
        self.authorise(caller, management::AUDIT_READ, None).await?;
        let cut = Cut::read(query.limit, query.cursor.as_deref())?;
        let mut reader = self.store.read().await?;
        let rows = reader.audit_checkpoints(caller.organization(), cut.after, cut.rows()).await?;
        let verifier = self.audit.verifier(caller.organization());
        cut.page(rows, |row| (row.created_at, row.id.0), |row| Ok(checkpoint(row, &verifier)))
    }
}
