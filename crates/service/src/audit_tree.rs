//! The audit's trees: within a second of its commit a record gets its place and its leaf.

use crate::Keystead;
use crate::refused::Refused;
use keystead_domain::audit::checkpoint::{Checkpoint, Signer};
use keystead_domain::audit::record::{SALT_LEN, leaf};
use keystead_domain::audit::tree::Tree;
use keystead_domain::ids::OrganizationId;
use keystead_store::{AuditRow, AuditTreeRow, LEAVES_AT_ONCE, Placed, StoreError};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;
use tokio::sync::{Mutex, broadcast};
use tokio::time::MissedTickBehavior::Delay;

/// How often it is looked for records that wait, as a rule.
const EVERY: Duration = Duration::from_millis(400);
/// Checkpoints that whoever publishes them may be behind. Who is further behind asks for the newest of each tree.
const UNPUBLISHED_MAX: usize = 1_024;

/// How the audit is kept.
#[derive(Debug, Clone)]
pub struct AuditSettings {
    /// How often it is looked for records that have no place in their tree yet.
    pub sequence_every: Duration,
    /// How long a tree grows before it is signed again.
    pub checkpoint_every: Duration,
    /// How long records are kept; `None`: for ever.
    pub retention: Option<Duration>,
}

impl Default for AuditSettings {
    fn default() -> Self {
        Self { sequence_every: EVERY, checkpoint_every: Duration::from_secs(60), retention: None }
    }
}

/// What the trees need at hand.
#[derive(Debug)]
pub(crate) struct AuditTrees {
    pub(crate) settings: AuditSettings,
    pub(crate) signer: Signer,
    pub(crate) signed: broadcast::Sender<Arc<str>>,
    /// Each tree as this node signed it last: who rewrites the database does not rewrite this.
    pub(crate) seen: Mutex<HashMap<OrganizationId, Tree>>,
    /// Checkpoints from before this instant are thinned.
    pub(crate) thinned_to: AtomicI64,
}

impl AuditTrees {
    pub(crate) fn new(settings: AuditSettings, signer: Signer) -> Self {
        let signed = broadcast::Sender::new(UNPUBLISHED_MAX);
        Self { settings, signer, signed, seen: Mutex::default(), thinned_to: AtomicI64::new(0) }
    }

    /// What an organization's checkpoints are verified with, as it is written.
    pub(crate) fn verifier(&self, organization: OrganizationId) -> String {
        self.signer.verifier(&Checkpoint::origin(organization)).to_string()
    }
}

impl Keystead {
    /// Keeps the trees until the stop; what was done by then is in them, and signed.
    pub(crate) async fn keep_audit_trees(self: Arc<Self>) {
        let mut looks = tokio::time::interval(self.audit.settings.sequence_every);
        let mut signs = tokio::time::interval(self.audit.settings.checkpoint_every);
        looks.set_missed_tick_behavior(Delay);
        signs.set_missed_tick_behavior(Delay);
        let mut failing = false;
        loop {
            // Asked before the wait: a stop may come while a tick's work is done.
            let stops = self.stopping.is_cancelled();
            let done = if stops {
                self.finish_audit().await
            } else {
                tokio::select! {
                    _ = looks.tick() => self.sequence_audit().await,
                    _ = signs.tick() => self.sign_audit_in_turn().await,
                    () = self.stopping.cancelled() => Ok(()),
                }
            };
            if let (Err(error), false) = (&done, failing) {
                // Told once: it comes round every moment.
                tracing::warn!(%error, "the audit's trees could not be kept; it is tried on");
            }
            failing = done.is_err();
            if stops {
                break;
            }
        }
    }

    /// What came a moment ago: after an upgrade millions may wait, and a stop does not wait for them.
    async fn finish_audit(self: &Arc<Self>) -> Result<(), Refused> {
        let waiting = self.store.read().await?.audit_waits().await?;
        let (_, sequenced) = self.sequence_round(waiting).await;
        sequenced.and(self.sign_audit().await)
    }

    /// Gives every record that waits its place, unless the stop comes first.
    ///
    /// # Errors
    /// When the database cannot answer, or with the first organization whose tree cannot grow: the others' have.
    pub async fn sequence_audit(self: &Arc<Self>) -> Result<(), Refused> {
        // Asked once for many rounds: it is a walk through everything that waits.
        let (mut waiting, mut first) = (self.store.read().await?.audit_waits().await?, Ok(()));
        while !waiting.is_empty() && !self.stopping.is_cancelled() {
            let (more, done) = self.sequence_round(waiting).await;
            waiting = more;
            first = first.and(done);
        }
        first
    }

    /// Every record of one organization that waits.
    pub(crate) async fn sequence_one(self: &Arc<Self>, organization: OrganizationId) -> Result<(), Refused> {
        while self.sequence_some(organization).await? && !self.stopping.is_cancelled() {}
        Ok(())
    }

    /// Some records of each organization: neither one that acts much nor one whose tree is broken holds up the
    /// others. Those that may have more.
    async fn sequence_round(
        self: &Arc<Self>,
        waiting: Vec<OrganizationId>,
    ) -> (Vec<OrganizationId>, Result<(), Refused>) {
        let (mut more, mut first) = (Vec::new(), Ok(()));
        for organization in waiting {
            match self.sequence_some(organization).await {
                Ok(true) => more.push(organization),
                Ok(false) => {}
                // It would be the same with each of them, after a long wait.
                Err(Refused::Unavailable) => return (Vec::new(), first.and(Err(Refused::Unavailable))),
                Err(error) => first = first.and(Err(of(organization, &error))),
            }
        }
        (more, first)
    }

    /// Whether there may be more.
    async fn sequence_some(self: &Arc<Self>, organization: OrganizationId) -> Result<bool, Refused> {
        let this = Arc::clone(self);
        self.store
            .bookkeeping(move |ledger| {
                Box::pin(async move {
                    let mut row = ledger.lock_audit_tree(organization).await?;
                    let waiting = ledger.audit_waiting(organization).await?;
                    let placed = this.place(&mut row, &waiting)?;
                    if !placed.is_empty() {
                        ledger.place_audit(&placed).await?;
                        ledger.put_audit_tree(&row).await?;
                    }
                    Ok(placed.len() >= LEAVES_AT_ONCE as usize)
                })
            })
            .await
    }

    /// The next places of a tree, given to these records.
    fn place(&self, row: &mut AuditTreeRow, waiting: &[AuditRow]) -> Result<Vec<Placed>, Refused> {
        let mut tree = tree_of(row)?;
        let mut placed = Vec::with_capacity(waiting.len());
        for record in waiting {
            let position = size_of(&tree)?;
            let mut salt = [0; SALT_LEN];
            self.entropy.with(|rng| rng.fill_bytes(&mut salt));
            let committed = record.record(position).ok_or(StoreError::Corrupt("a place in the audit"))?;
            let leaf = leaf(&salt, &committed.text());
            tree.add(&leaf);
            placed.push(Placed { id: record.id, position, salt, leaf });
        }
        row.size = size_of(&tree)?;
        row.edge = tree.edge();
        row.verifier = self.audit.verifier(row.organization_id);
        Ok(placed)
    }
}

/// Whose tree it is that stops.
pub(crate) fn of(organization: OrganizationId, error: &Refused) -> Refused {
    Refused::Internal(format!("the audit's tree of {organization}: {error}"))
}

/// An organization's tree.
pub(crate) fn tree_of(row: &AuditTreeRow) -> Result<Tree, Refused> {
    let tree = u64::try_from(row.size).ok().and_then(|size| Tree::from_parts(size, &row.edge));
    tree.ok_or_else(|| StoreError::Corrupt("an organization's audit tree").into())
}

fn size_of(tree: &Tree) -> Result<i64, Refused> {
    i64::try_from(tree.size()).map_err(|_| StoreError::Corrupt("the size of an audit tree").into())
}
