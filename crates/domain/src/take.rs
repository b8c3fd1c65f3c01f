//! Taking from every limit, quota and credits that a request meets, or from none.

use crate::lease::{Block, Standing};
use crate::meter::{Account, Blocks, Meter, MeterRules, RATES_MAX};
use crate::rate::{NotTaken, RateCell, RateRule, RateState, Reading};
use crate::share::Sharing;
use crate::time::Micros;
use parking_lot::MutexGuard;

/// Whose limit refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// The key's own (its lineage's).
    Key,
    /// Its consumer's.
    Consumer,
    /// The key's number of uses.
    Uses,
}

/// A meter with its rules and whose it is.
#[derive(Debug, Clone, Copy)]
pub struct Metered<'a> {
    /// Whose.
    pub of: Of,
    /// Its rules.
    pub rules: &'a MeterRules,
    /// Its counters.
    pub meter: &'a Meter,
}

/// Why nothing was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// A rate limit, by its index in the rules.
    Rate {
        /// Whose.
        of: Of,
        /// Which.
        index: usize,
        /// Where it stands.
        state: RateState,
    },
    /// A quota or the credits, used up until then.
    UsedUp {
        /// Whose.
        of: Of,
        /// Which.
        account: Account,
        /// Until when.
        until: Option<Micros>,
    },
    /// A block must be leased first; then ask again.
    NeedsLease(LeaseNeed),
}

/// Units to lease from the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaseNeed {
    /// Whose.
    pub of: Of,
    /// Which account.
    pub account: Account,
    /// At least so many.
    pub units: u64,
}

/// Takes `cost` from every limit, quota and credits of both meters, and one use where uses are
/// counted; or takes of none.
///
/// `Ok` may carry a need: a block or share that runs low, to be leased ahead.
///
/// # Errors
/// With the first check that refuses: rate limits, then quotas, then credits.
pub fn take(
    key: Metered<'_>,
    consumer: Option<Metered<'_>>,
    uses: Option<Metered<'_>>,
    cost: u64,
    now: Micros,
    sharing: &Sharing,
) -> Result<Option<LeaseNeed>, Refusal> {
    let consumer = consumer.filter(|consumer| !consumer.rules.is_empty());
    match (consumer.or(uses), &*key.rules.rates) {
        (None, []) if !key.rules.needs_lock() => return Ok(None),
        (None, [rule]) if !key.rules.needs_lock() => {
            return match key.meter.first().take(rule, cost, now, sharing) {
                Ok(ahead) => Ok(ahead.then(|| LeaseNeed::share(Of::Key, 0, 1))),
                Err(not_taken) => Err(refusal(Of::Key, 0, cost, not_taken)),
            };
        }
        _ => {}
    }
    // Always the lineage before the consumer before the uses: two requests cannot wait in a ring.
    let mut held = [Some(Held::new(key)), consumer.map(Held::new), uses.map(Held::new)];
    loop {
        let readings = read_rates(&held, cost, now, sharing)?;
        check_blocks(&held, cost, now)?;
        if commit_rates(&readings, cost) {
            let low = readings.iter().flatten().find(|read| read.reading.asks_ahead());
            let low = low.map(|read| LeaseNeed::share(read.of, read.index, 1));
            return Ok(spend_blocks(&mut held, cost).or(low));
        }
    }
}

/// Those that a request meets: the lineage, its consumer, its uses.
type AllHeld<'a> = [Option<Held<'a>>; 3];

/// A meter whose blocks are locked.
struct Held<'a> {
    metered: Metered<'a>,
    blocks: Option<MutexGuard<'a, Blocks>>,
}

/// A rate limit that was read, to be committed with the others.
#[derive(Clone, Copy)]
struct Read<'a> {
    of: Of,
    index: usize,
    cell: &'a RateCell,
    rule: &'a RateRule,
    reading: Reading,
}

type Readings<'a> = [Option<Read<'a>>; 2 * RATES_MAX];

impl LeaseNeed {
    const fn share(of: Of, index: usize, units: u64) -> Self {
        // A meter has at most eight limits.
        #[expect(clippy::cast_possible_truncation, reason = "RATES_MAX is far below 256")]
        let index = index as u8;
        Self { of, account: Account::Rate(index), units }
    }
}

fn refusal(of: Of, index: usize, cost: u64, not_taken: NotTaken) -> Refusal {
    match not_taken {
        NotTaken::Over(state) => Refusal::Rate { of, index, state },
        NotTaken::Share => Refusal::NeedsLease(LeaseNeed::share(of, index, cost)),
    }
}

fn read_rates<'a>(
    held: &AllHeld<'a>,
    cost: u64,
    now: Micros,
    sharing: &Sharing,
) -> Result<Readings<'a>, Refusal> {
    let mut readings: Readings<'a> = [None; 2 * RATES_MAX];
    let mut slots = readings.iter_mut();
    for Metered { of, rules, meter } in held.iter().flatten().map(|held| held.metered) {
        for (index, rule) in rules.rates.iter().enumerate() {
            let (Some(cell), Some(slot)) = (meter.cell(index), slots.next()) else {
                break;
            };
            let reading = cell.read(rule, cost, now, sharing);
            let reading = reading.map_err(|not_taken| refusal(of, index, cost, not_taken))?;
            *slot = Some(Read { of, index, cell, rule, reading });
        }
    }
    Ok(readings)
}

/// A key with one limit takes without the lock, so a cell may have moved since it was read: then
/// all that was committed is given back, and everything is checked again.
fn commit_rates(readings: &Readings<'_>, cost: u64) -> bool {
    for (index, read) in readings.iter().flatten().enumerate() {
        if !read.cell.commit(read.reading) {
            for read in readings.iter().flatten().take(index) {
                read.cell.give_back(read.reading, read.rule, cost);
            }
            return false;
        }
    }
    true
}

fn check_blocks(all: &AllHeld<'_>, cost: u64, now: Micros) -> Result<(), Refusal> {
    let mut need = None;
    for account in [Account::Quota, Account::Credits] {
        for held in all.iter().flatten() {
            let Some(block) = held.block(account) else {
                continue;
            };
            let of = held.metered.of;
            match block.standing(held.cost(cost), now) {
                Standing::Enough => {}
                Standing::Lease(units) => need = need.or(Some(LeaseNeed { of, account, units })),
                Standing::Exhausted => {
                    let until = block
                        .remaining(now)
                        .map(|(_, until)| until)
                        .filter(|until| *until != Micros::FOREVER);
                    return Err(Refusal::UsedUp { of, account, until });
                }
            }
        }
    }
    need.map_or(Ok(()), |need| Err(Refusal::NeedsLease(need)))
}

fn spend_blocks(all: &mut AllHeld<'_>, cost: u64) -> Option<LeaseNeed> {
    let mut low = None;
    for held in all.iter_mut().flatten() {
        let (of, cost) = (held.metered.of, held.cost(cost));
        for account in [Account::Quota, Account::Credits] {
            if let Some(block) = held.block_mut(account) {
                block.spend(cost);
                if block.runs_low() {
                    low = Some(LeaseNeed { of, account, units: 1 });
                }
            }
        }
    }
    low
}

impl<'a> Held<'a> {
    fn new(metered: Metered<'a>) -> Self {
        Self { metered, blocks: metered.meter.blocks() }
    }

    /// A use is a request, whatever it costs.
    const fn cost(&self, cost: u64) -> u64 {
        match self.metered.of {
            Of::Uses if cost > 1 => 1,
            _ => cost,
        }
    }

    fn block(&self, account: Account) -> Option<&Block> {
        let blocks = self.blocks.as_deref()?;
        match account {
            Account::Quota => self.metered.rules.quota.is_some().then_some(&blocks.quota),
            Account::Credits => self.metered.rules.credits.is_some().then_some(&blocks.credits),
            Account::Rate(_) => None,
        }
    }

    fn block_mut(&mut self, account: Account) -> Option<&mut Block> {
        let rules = self.metered.rules;
        let blocks = self.blocks.as_deref_mut()?;
        match account {
            Account::Quota => rules.quota.is_some().then_some(&mut blocks.quota),
            Account::Credits => rules.credits.is_some().then_some(&mut blocks.credits),
            Account::Rate(_) => None,
        }
    }
}

#[cfg(test)]
#[cfg(not(feature = "loom"))]
mod tests {
    use super::*;
    use crate::calendar::CreditsRule;
    use crate::lease::Leased;
    use keystead_api::{LimitSpec, QuotaPeriod, QuotaSpec, Refill};

    const NOW: Micros = Micros(1_700_000_000_000_000);

    fn rules(limits: &[(&str, u64)], quota: Option<u64>, credits: bool) -> MeterRules {
        let limits: Vec<_> = limits
            .iter()
            .map(|(name, limit)| LimitSpec {
                name: (*name).into(),
                limit: *limit,
                window: "1h".into(),
                burst: None,
            })
            .collect();
        let quota = quota.map(|limit| QuotaSpec { limit, per: QuotaPeriod::Day, time_zone: None });
        let credits = credits.then_some(CreditsRule { refill: Refill::None, amount: 0 });
        MeterRules::compile(&limits, quota.as_ref(), credits).unwrap()
    }

    fn key<'a>(rules: &'a MeterRules, meter: &'a Meter) -> Metered<'a> {
        Metered { of: Of::Key, rules, meter }
    }

    fn remaining(rules: &MeterRules, meter: &Meter, index: usize) -> u64 {
        meter.rate_state(rules, index, 1, NOW).unwrap().remaining
    }

    /// LESSONS 7: two limits shared one counter; a refused request had consumed.
    #[test]
    fn lesson_7_limits_count_apart_and_a_refusal_by_one_takes_of_none() {
        let rules = rules(&[("a", 10), ("b", 2)], None, false);
        let meter = Meter::new(&rules);
        for _ in 0..2 {
            take(key(&rules, &meter), None, None, 1, NOW, Default::default()).unwrap();
        }
        let refusal = take(key(&rules, &meter), None, None, 1, NOW, Default::default()).unwrap_err();
        assert!(matches!(refusal, Refusal::Rate { of: Of::Key, index: 1, .. }), "{refusal:?}");
        assert_eq!((remaining(&rules, &meter, 0), remaining(&rules, &meter, 1)), (8, 0));
    }

    #[test]
    fn a_refusal_by_quota_or_credits_takes_no_rate() {
        let rules = rules(&[("a", 10)], Some(1), true);
        let meter = Meter::new(&rules);
        let lease = |taken, beyond| Leased { taken, beyond, valid_until: Micros::FOREVER };
        let need = |account| Refusal::NeedsLease(LeaseNeed { of: Of::Key, account, units: 1 });
        assert_eq!(
            take(key(&rules, &meter), None, None, 1, NOW, Default::default()),
            Err(need(Account::Quota))
        );
        meter.add(Account::Quota, lease(1, 0));
        assert_eq!(
            take(key(&rules, &meter), None, None, 1, NOW, Default::default()),
            Err(need(Account::Credits))
        );
        meter.add(Account::Credits, lease(0, 0));
        let used_up = Refusal::UsedUp { of: Of::Key, account: Account::Credits, until: None };
        assert_eq!(take(key(&rules, &meter), None, None, 1, NOW, Default::default()), Err(used_up));
        assert_eq!(remaining(&rules, &meter, 0), 10);
        assert_eq!(meter.show_blocks().quota.held(NOW), 1);
    }

    #[test]
    fn with_a_shared_consumer_limit_exactly_n_pass_over_all_keys() {
        let shared = rules(&[("plan", 300)], None, false);
        let shared_meter = Meter::new(&shared);
        let shapes = [
            rules(&[], None, false),
            rules(&[("own", 1_000)], None, false),
            rules(&[("x", 1_000), ("y", 90)], None, false),
        ];
        let meters: Vec<_> = shapes.iter().map(Meter::new).collect();
        let passed: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..6)
                .map(|thread| {
                    let (shape, meter) = (&shapes[thread % 3], &meters[thread % 3]);
                    let consumer = Metered { of: Of::Consumer, rules: &shared, meter: &shared_meter };
                    scope.spawn(move || {
                        (0..400)
                            .filter(|_| {
                                take(key(shape, meter), Some(consumer), None, 1, NOW, Default::default())
                                    .is_ok()
                            })
                            .count()
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(passed, 300);
        assert_eq!(remaining(&shared, &shared_meter, 0), 0);
    }

    #[test]
    fn new_rules_keep_the_count_of_a_limit_that_keeps_its_name() {
        let (old, new) =
            (rules(&[("a", 10), ("b", 5)], None, false), rules(&[("b", 5), ("c", 7)], None, false));
        let meter = Meter::new(&old);
        take(key(&old, &meter), None, None, 3, NOW, Default::default()).unwrap();
        let carried = meter.carried(&old, &new);
        assert_eq!((remaining(&new, &carried, 0), remaining(&new, &carried, 1)), (2, 7));
    }

    /// LESSONS 8: what is leased is not spent twice, by the key as it was and as it is.
    #[test]
    fn lesson_8_a_block_moves_to_the_new_rules() {
        let (old, new) = (rules(&[("a", 10)], None, true), rules(&[("b", 10)], None, true));
        let meter = Meter::new(&old);
        meter.add(Account::Credits, Leased { taken: 5, beyond: 0, valid_until: Micros::FOREVER });
        let carried = meter.carried(&old, &new);
        let held = |meter: &Meter| meter.show_blocks().credits.held(NOW);
        assert_eq!((held(&meter), held(&carried)), (0, 5));
        let need = LeaseNeed { of: Of::Key, account: Account::Credits, units: 1 };
        assert_eq!(
            take(key(&old, &meter), None, None, 1, NOW, Default::default()),
            Err(Refusal::NeedsLease(need))
        );
    }
}
