//! Shares of rate limits, where several nodes count them: taken from the store's accounts, many limits in
//! one transaction, before anything is let pass. A node that is alone counts in memory; it publishes what
//! it counted before another one counts, and goes on from the accounts when it is alone again.

use crate::Keystead;
use crate::refused::Refused;
use keystead_domain::ids::NodeId;
use keystead_domain::meter::{Meter, MeterId, MeterRules};
use keystead_domain::rate::{RateRule, RateState};
use keystead_domain::share::{RateAccount, Share};
use keystead_domain::time::{Micros, SECOND};
use keystead_store::{Ledger, RATES_AT_ONCE, RateRow, StoreError};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::{RwLock, mpsc, oneshot};

/// Shares that may wait to be taken; beyond them the store cannot keep up.
const WAITING_MAX: usize = 4_096;
/// Statements of one transaction that publishes.
const STATEMENTS_AT_ONCE: usize = 8;
/// Accounts that were paid for are kept for so long: clocks of nodes may differ.
const PAID_KEPT_MICROS: i64 = 3_600 * SECOND;

/// Who counts rate limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// This node, in memory.
    Alone,
    /// Several: this node takes shares.
    Among,
    /// Another node, in its memory, until it notices this one.
    Waiting,
}

/// What counting together needs.
#[derive(Debug)]
pub(crate) struct Shares {
    queue: mpsc::Sender<Wanted>,
    /// Held while shares are taken, so that nobody begins to count alone meanwhile.
    pub(crate) mode: RwLock<Mode>,
    /// What was counted alone and is not in the store yet.
    unpublished: Mutex<Vec<RateRow>>,
}

/// A share that is wanted.
#[derive(Debug)]
pub(crate) struct Wanted {
    pub(crate) meter: MeterId,
    pub(crate) rule: RateRule,
    /// At least and at most so many units.
    pub(crate) units: (u64, u64),
    pub(crate) now: Micros,
    answer: oneshot::Sender<Result<Share, RateState>>,
}

impl Shares {
    pub(crate) fn new(mode: Mode) -> (Self, mpsc::Receiver<Wanted>) {
        let (queue, waiting) = mpsc::channel(WAITING_MAX);
        (Self { queue, mode: RwLock::new(mode), unpublished: Mutex::default() }, waiting)
    }
}

/// What an account answers to each who wants a share of it.
type Answers = Vec<(oneshot::Sender<Result<Share, RateState>>, Result<Share, RateState>)>;

impl Keystead {
    /// Takes a share of a limit from its account.
    ///
    /// # Errors
    /// When the store does not answer, or does not say that no other node counts alone.
    pub(crate) async fn take_share(
        &self,
        meter: MeterId,
        rule: RateRule,
        units: (u64, u64),
        now: Micros,
    ) -> Result<Result<Share, RateState>, Refused> {
        let (answer, answered) = oneshot::channel();
        let gone = || Refused::from(StoreError::Unavailable("no share of a rate limit can be taken"));
        self.shares.queue.try_send(Wanted { meter, rule, units, now, answer }).map_err(|_| gone())?;
        answered.await.map_err(|_| gone())
    }

    /// Takes the shares that are wanted, all that wait at once, until the stop.
    pub(crate) async fn keep_shares(self: Arc<Self>, mut waiting: mpsc::Receiver<Wanted>) {
        loop {
            let mut wanted = Vec::with_capacity(RATES_AT_ONCE);
            tokio::select! {
                () = self.stopping.cancelled() => return,
                count = waiting.recv_many(&mut wanted, RATES_AT_ONCE) => if count == 0 { return },
            }
            // Who is not answered takes the dropped sender for an answer.
            if let Err(error) = self.take_shares(wanted).await {
                tracing::warn!(%error, "no shares of rate limits can be taken: keys with limits are answered unavailable");
            }
        }
    }

    async fn take_shares(&self, mut wanted: Vec<Wanted>) -> Result<(), Refused> {
        // In this order every node locks, and none twice.
        wanted.sort_by(|one, other| key(one).cmp(&key(other)));
        wanted.dedup_by(|one, other| key(one) == key(other));
        let mode = self.shares.mode.read().await;
        if *mode != Mode::Among {
            return Ok(());
        }
        let answers = self
            .store
            .bookkeeping(move |ledger| Box::pin(async move { take_from_accounts(ledger, wanted).await }))
            .await?;
        drop(mode);
        for (asker, answer) in answers {
            // It may have gone: then the share is forfeited.
            let _ = asker.send(answer);
        }
        Ok(())
    }

    /// Stops counting alone: what was counted waits to be published, and nothing is counted until it is.
    pub(crate) fn surrender_rates(&self) {
        self.sharing.set_alone_until(Micros(i64::MIN));
        let now_ns = nanos(self.clock.now());
        let mut counted: HashMap<(MeterId, Box<str>), i64> = HashMap::new();
        self.each_rate(|meter, rule, of, index| {
            let paid_at = of.cell(index).map_or(0, |cell| signed(cell.surrender()));
            if paid_at > now_ns {
                counted.insert((meter, rule.name.clone()), paid_at);
            }
        });
        let rows = counted.into_iter().map(|((meter, name), paid_at_ns)| RateRow {
            meter,
            name: name.into(),
            paid_at_ns,
        });
        self.shares.unpublished.lock().extend(rows);
    }

    /// Writes what was counted alone into the accounts.
    ///
    /// # Errors
    /// When the store does not answer; calling again goes on.
    pub(crate) async fn publish_rates(&self) -> Result<(), StoreError> {
        let mut unpublished = std::mem::take(&mut *self.shares.unpublished.lock());
        // Of two that counted the same limit, one after the other, the further stands.
        unpublished.sort_by(|one, other| {
            row_key(one).cmp(&row_key(other)).then(other.paid_at_ns.cmp(&one.paid_at_ns))
        });
        unpublished.dedup_by(|one, other| row_key(one) == row_key(other));
        while !unpublished.is_empty() {
            let some: Vec<_> = unpublished.iter().take(STATEMENTS_AT_ONCE * RATES_AT_ONCE).cloned().collect();
            let count = some.len();
            let raised: Result<(), StoreError> = self
                .store
                .bookkeeping(move |ledger| {
                    Box::pin(async move {
                        for rows in some.chunks(RATES_AT_ONCE) {
                            ledger.raise_rates(rows).await?;
                        }
                        Ok(())
                    })
                })
                .await;
            if let Err(error) = raised {
                self.shares.unpublished.lock().extend(unpublished);
                return Err(error);
            }
            unpublished.drain(..count);
        }
        Ok(())
    }

    /// Counts alone until then, from where the accounts stand. Only while no other node counts.
    ///
    /// # Errors
    /// When the store does not answer.
    pub(crate) async fn resume_rates(&self, until: Micros) -> Result<(), Refused> {
        let now = self.clock.now();
        let rows = self.store.read().await?.unpaid_rates(nanos(now)).await?;
        let accounts: HashMap<(MeterId, &str), i64> =
            rows.iter().map(|row| ((row.meter, row.name.as_str()), row.paid_at_ns)).collect();
        self.make_route_cells(&rows);
        self.each_rate(|meter, rule, of, index| {
            if let Some(cell) = of.cell(index) {
                let paid_at = unsigned(accounts.get(&(meter, &*rule.name)).copied().unwrap_or(0));
                cell.resume(rule, paid_at, now);
            }
        });
        self.sharing.set_alone_until(until);
        Ok(())
    }

    /// What others have counted of a route's limit goes on, also where this node has seen none of its requests.
    fn make_route_cells(&self, rows: &[RateRow]) {
        let directory = &self.keyring.directory;
        for row in rows {
            if let MeterId::Route(id) = row.meter
                && let Some(place) = directory.place_by_id(id.environment())
                && let Some(guarded) = directory.guard(place.project.id)
            {
                let paid_at = unsigned(row.paid_at_ns);
                guarded.cells.with(id, |meter| meter.cell(0).map(|cell| cell.stand_at(paid_at)));
            }
        }
    }

    /// Every rate limit that a key or a consumer has, or a route with a guard.
    fn each_rate(&self, mut visit: impl FnMut(MeterId, &RateRule, &Meter, usize)) {
        let mut all = |id, rules: &MeterRules, meter: &Meter| {
            for (index, rule) in rules.rates.iter().enumerate() {
                visit(id, rule, meter, index);
            }
        };
        self.keyring.for_each(|entry| {
            // What a minted key spends is its parent's.
            if entry.parent().is_none() {
                all(MeterId::Lineage(entry.lineage.id), &entry.policy.rules, &entry.lineage.meter);
            }
        });
        for principal in self.keyring.directory.principals() {
            if let Some(id) = principal.consumer_id() {
                let state = principal.state.load();
                all(MeterId::Consumer(id), &state.rules, &state.meter);
            }
        }
        for guarded in self.keyring.directory.guards() {
            let limits: HashMap<_, _> = guarded.rules.limits().map(|limit| (limit.id(), limit)).collect();
            guarded.cells.each(|id, meter| {
                if let Some(limit) = limits.get(&id.limit()) {
                    all(MeterId::Route(id), &limit.rules, meter);
                }
            });
        }
    }

    /// Deletes the accounts that say nothing any more, a few at a time: somebody may want a share of one.
    ///
    /// # Errors
    /// When the store does not answer.
    pub(crate) async fn trim_rates(&self) -> Result<(), StoreError> {
        let before = nanos(self.clock.now().plus(-PAID_KEPT_MICROS));
        let mut paid = self.store.read().await?.paid_rates(before).await?;
        paid.sort_by(|one, other| row_key(one).cmp(&row_key(other)));
        for rows in paid.chunks(RATES_AT_ONCE) {
            let rows = rows.to_vec();
            let trimmed: Result<usize, StoreError> = self
                .store
                .bookkeeping(move |ledger| Box::pin(async move { ledger.trim_rates(&rows, before).await }))
                .await;
            trimmed?;
        }
        Ok(())
    }
}

/// Debits the accounts before anything is let pass. Nobody is answered while another node counts alone:
/// what it counted is not in the accounts.
async fn take_from_accounts(ledger: &mut Ledger, wanted: Vec<Wanted>) -> Result<Answers, Refused> {
    let alone: Option<NodeId> = ledger.counting_node().await?;
    if alone.is_some() {
        return Err(StoreError::Unavailable("another node still counts the rate limits").into());
    }
    let rows: Vec<RateRow> = wanted
        .iter()
        .map(|one| RateRow { meter: one.meter, name: one.rule.name.to_string(), paid_at_ns: 0 })
        .collect();
    let mut accounts = ledger.lock_rates(&rows).await?;
    accounts.sort_by(|one, other| row_key(one).cmp(&row_key(other)));
    if accounts.len() != wanted.len() {
        return Err(Refused::Internal("an account of a rate limit is missing".into()));
    }
    let mut answers = Answers::with_capacity(wanted.len());
    for (row, one) in accounts.iter_mut().zip(wanted) {
        let mut account = RateAccount(unsigned(row.paid_at_ns));
        let answer = account.take(&one.rule, one.units, one.now);
        row.paid_at_ns = signed(account.0);
        answers.push((one.answer, answer));
    }
    ledger.put_rates(&accounts).await?;
    Ok(answers)
}

fn key(wanted: &Wanted) -> (&[u8], &str) {
    (wanted.meter.as_bytes(), &wanted.rule.name)
}

fn row_key(row: &RateRow) -> (&[u8], &str) {
    (row.meter.as_bytes(), &row.name)
}

fn nanos(at: Micros) -> i64 {
    at.0.saturating_mul(1_000)
}

fn signed(paid_at: u64) -> i64 {
    i64::try_from(paid_at).unwrap_or(i64::MAX)
}

fn unsigned(paid_at: i64) -> u64 {
    u64::try_from(paid_at).unwrap_or(0)
}
