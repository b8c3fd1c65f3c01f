//! Verdicts that may need a block of credits or quota first, or a share of a rate limit: fetched from the
//! store, durably, one at a time for each meter.

use crate::Keystead;
use crate::accounts::debit;
use crate::held_up::decided;
use crate::refused::Refused;
use keystead_api::Code;
use keystead_domain::decide::{Ask, Decision, Verdict};
use keystead_domain::entry::{Entry, Principals};
use keystead_domain::ids::OrganizationId;
use keystead_domain::meter::{Account, Meter, MeterId, MeterRules};
use keystead_domain::rate::RateState;
use keystead_domain::route_limits::RouteCells;
use keystead_domain::take::{LeaseNeed, Of};
use keystead_domain::time::{Micros, SECOND};
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::Arc;
use tokio::sync::Mutex;

/// A request that loses this many races for a block meets a store that cannot keep up.
const ROUNDS_MAX: u32 = 64;
const TURNS: usize = 256;
/// How long "nothing is left" is believed where another node may give something back.
const ASK_AGAIN_MICROS: i64 = 5 * SECOND;

/// Whose turn it is to lease, by meter: requests that wait for the same block wait for one lease.
#[derive(Debug)]
pub(crate) struct Turns(Box<[Arc<Mutex<()>>]>);

impl Turns {
    pub(crate) fn new() -> Self {
        Self((0..TURNS).map(|_| Arc::default()).collect())
    }

    pub(crate) fn of(&self, meter: MeterId) -> Option<&Arc<Mutex<()>>> {
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(meter);
        self.0.get(usize::from(hash.to_be_bytes()[0]))
    }
}

/// Everything that one lease needs, owned, so that it can run beside the request.
pub(crate) struct Order {
    pub(crate) meter: MeterId,
    pub(crate) account: Account,
    pub(crate) units: u64,
    pub(crate) rules: MeterRules,
    /// Whose meters they are: a key's own, its consumer's, its uses.
    entry: Option<Entry>,
    /// Where the limits of its route are counted.
    cells: Option<Arc<RouteCells>>,
}

impl Keystead {
    /// The verdict on a key that has proved itself, or on a request that needs none, fetching leases as they are
    /// needed.
    pub(crate) async fn settle(
        self: &Arc<Self>,
        entry: Option<&Entry>,
        ask: &Ask<'_>,
        now: Micros,
    ) -> Verdict {
        let (decision, now) = self.unless_held_up(decided(entry, ask, now), entry, ask, now);
        match decision {
            Decision::Made(verdict) if verdict.lease_ahead.is_none() => verdict,
            // Apart: as a part of the future it would be moved about for every request.
            decision => Box::pin(self.settle_from(decision, entry, ask, now)).await,
        }
    }

    /// The verdict, where `decision` came first. Only this waits for the database, and only for keys
    /// with credits or a quota whose block has run out, or with a limit that other nodes count too and
    /// whose share has run out or ended.
    pub(crate) async fn settle_from(
        self: &Arc<Self>,
        mut decision: Decision,
        entry: Option<&Entry>,
        ask: &Ask<'_>,
        mut now: Micros,
    ) -> Verdict {
        for _ in 0..ROUNDS_MAX {
            match decision {
                Decision::Made(verdict) => {
                    if let Some(need) = verdict.lease_ahead {
                        self.lease_ahead(order(entry, ask, need), now);
                    }
                    return verdict;
                }
                Decision::NeedsLease(need) => {
                    let Some(order) = order(entry, ask, need) else {
                        break;
                    };
                    let Some(turn) = self.turns.of(order.meter) else {
                        break;
                    };
                    let turn = Arc::clone(turn).lock_owned().await;
                    // While it waited, what is held may have ended.
                    now = self.clock.now();
                    (decision, now) = self.unless_held_up(decided(entry, ask, now), entry, ask, now);
                    if decision == Decision::NeedsLease(need) {
                        // A client that goes away between debit and use would forfeit the block. The turn
                        // goes along: until the lease has ended nobody else may ask for the same.
                        let this = Arc::clone(self);
                        let lease = self.tasks.spawn(async move { (this.lease(order, now).await, turn) });
                        let Ok((leased, _turn)) = lease.await else { break };
                        match leased {
                            Ok(None) => {}
                            Ok(Some(state)) => return over(state),
                            Err(_) => break,
                        }
                        now = self.clock.now();
                        (decision, now) = self.unless_held_up(decided(entry, ask, now), entry, ask, now);
                    }
                }
            }
        }
        match decision {
            Decision::Made(verdict) => verdict,
            Decision::NeedsLease(_) => Verdict::of(Code::Unavailable),
        }
    }

    /// Leases the next block beside the request, unless somebody is at it.
    fn lease_ahead(self: &Arc<Self>, order: Option<Order>, now: Micros) {
        let (Some(order), this) = (order, Arc::clone(self)) else {
            return;
        };
        self.tasks.spawn(async move {
            if let Some(turn) = this.turns.of(order.meter)
                && let Ok(_turn) = turn.try_lock()
                && let Err(error) = this.lease(order, now).await
            {
                tracing::warn!(%error, "a block could not be leased ahead of need");
            }
        });
    }

    /// Leases, or says how a rate limit stands of which too little remains.
    async fn lease(&self, order: Order, now: Micros) -> Result<Option<RateState>, Refused> {
        let account = order.account;
        if let Account::Rate(index) = account {
            return self.lease_share(order, usize::from(index), now).await;
        }
        let order = Arc::new(order);
        let debited = Arc::clone(&order);
        let (leased, epoch) = self
            .store
            .bookkeeping(move |ledger| Box::pin(async move { debit(ledger, &debited, now).await }))
            .await?;
        self.counters.leases.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let give = |meter: &Meter| {
            match account {
                Account::Credits => meter.add_credits(leased, epoch),
                Account::Quota | Account::Rate(_) => meter.add(account, leased),
            }
            if self.seeker.is_some() {
                meter.ask_again(account, now.plus(ASK_AGAIN_MICROS));
            }
        };
        order.with_meter(give);
        Ok(None)
    }

    async fn lease_share(
        &self,
        order: Order,
        index: usize,
        now: Micros,
    ) -> Result<Option<RateState>, Refused> {
        let missing = || Refused::Internal("a share of a limit that is not there".into());
        let rule = order.rules.rates.get(index).cloned().ok_or_else(missing)?;
        let mut want = order.units;
        order.with_meter(|meter| {
            if let Some(cell) = meter.cell(index) {
                want = cell.want(&rule, order.units, now);
                if self.sharing.is_alone(now) {
                    cell.drop_share();
                }
            }
        });
        if self.sharing.is_alone(now) {
            return Ok(None);
        }
        let answer = match self.take_share(order.meter, rule.clone(), (order.units, want), now).await {
            Ok(answer) => answer,
            // The others left meanwhile.
            Err(_) if self.sharing.is_alone(self.clock.now()) => return Ok(None),
            Err(error) => return Err(error),
        };
        self.counters.leases.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        order.with_meter(|meter| {
            if let Some(cell) = meter.cell(index) {
                cell.hear(&rule, answer, self.clock.now(), &self.sharing);
            }
        });
        Ok(answer.err())
    }
}

/// The verdict on a request for which too little of a rate limit remains.
fn over(state: RateState) -> Verdict {
    Verdict {
        retry_after_ns: Some(state.wait_ns).filter(|wait| *wait != u64::MAX),
        ..Verdict::of(Code::RateLimited)
    }
}

impl Order {
    /// Whose the key is; none has a request without one.
    pub(crate) fn organization(&self) -> Option<OrganizationId> {
        self.entry.as_ref().map(|entry| entry.place.project.organization)
    }

    /// The counters that it is for, as they are now.
    fn with_meter(&self, visit: impl FnOnce(&Meter)) {
        let spender = self.entry.as_ref().and_then(Entry::spender);
        match self.meter {
            MeterId::Lineage(_) => {
                if let Some(spender) = &spender {
                    visit(&spender.lineage.meter);
                }
            }
            MeterId::Consumer(_) => {
                let principals = spender.as_deref().map(Entry::principals);
                if let Some(state) = principals.as_ref().and_then(Principals::consumer) {
                    visit(&state.meter);
                }
            }
            MeterId::Uses(_) => {
                if let Some(uses) = self.entry.as_ref().and_then(Entry::uses) {
                    visit(&uses.meter);
                }
            }
            MeterId::Route(id) => {
                if let Some(cells) = &self.cells {
                    cells.with(id, visit);
                }
            }
        }
    }
}

fn order(entry: Option<&Entry>, ask: &Ask<'_>, need: LeaseNeed) -> Option<Order> {
    let spender = entry.and_then(Entry::spender);
    let spender = spender.as_deref();
    let (meter, rules) = match need.of {
        Of::Key => (MeterId::Lineage(spender?.lineage.id), spender?.policy.rules.clone()),
        Of::Consumer => {
            let consumer = spender?.consumer.as_ref()?;
            (MeterId::Consumer(consumer.consumer_id()?), consumer.state.load().rules.clone())
        }
        Of::Uses => {
            let uses = entry?.uses()?;
            (MeterId::Uses(uses.id), uses.rules.clone())
        }
        Of::Route(index) => {
            let (id, limit) = ask.route?.meter(index, spender, ask)?;
            (MeterId::Route(id), limit.rules.clone())
        }
        // This process counts it alone.
        Of::RouteHere(_) => return None,
    };
    Some(Order {
        meter,
        account: need.account,
        units: need.units,
        rules,
        entry: entry.cloned(),
        cells: ask.route.map(|route| Arc::clone(route.cells)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::root_key::tests::{open, origin};
    use keystead_api::{CreateKey, LimitSpec};
    use keystead_domain::rate::NotTaken;
    use keystead_store::testing::sqlite;

    /// A share was wanted, and until it was asked for this node counted alone again.
    #[tokio::test]
    async fn who_counts_alone_again_keeps_its_count() {
        let (store, folder) = (sqlite().await, tempfile::tempdir().unwrap());
        store.store.close().await;
        let opened = open(&store, folder.path().join("root.key").into(), 1).await.unwrap();
        let (keystead, admin) = (opened.keystead, opened.admin_key.unwrap());
        let admin = keystead.identify(admin.expose(), origin()).unwrap();
        let limit = LimitSpec { name: "main".into(), limit: 10, window: "1h".into(), burst: None };
        let (name, environment) = ("Limited".into(), "production".into());
        let input = CreateKey { name, environment, limits: vec![limit], ..CreateKey::default() };
        let made = keystead.create_key(&admin, "keystead", input).await.unwrap();
        let entry = keystead.keyring.get(made.details.id.parse().unwrap()).unwrap();
        let (cell, rule) = (entry.lineage.meter.cell(0).unwrap(), &entry.policy.rules.rates[0]);
        let now = keystead.clock.now();
        cell.take(rule, 10, now, &keystead.sharing).unwrap();
        let need = LeaseNeed { of: Of::Key, account: Account::Rate(0), units: 1 };
        let order = order(Some(&entry), &Ask::default(), need).unwrap();
        assert_eq!(keystead.lease(order, now).await.unwrap(), None);
        assert!(matches!(cell.take(rule, 1, now, &keystead.sharing), Err(NotTaken::Over(_))));
        keystead.close().await;
    }
}
