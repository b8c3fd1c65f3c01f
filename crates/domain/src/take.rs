//! Taking from every limit, quota and credits that a request meets, or from none.

use crate::lease::{Block, Standing};
use crate::meter::{Account, Blocks, Meter, MeterRules, RATES_MAX};
use crate::rate::{NotTaken, RateCell, RateRule, RateState, Reading};
use crate::route_limits::ROUTE_LIMITS_MAX;
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
    /// The route's, by its index there.
    Route(u8),
    /// The same, where this process counts it alone, whoever counts the others.
    RouteHere(u8),
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
    take_all::<3, { 2 * RATES_MAX }>([Some(key), consumer, uses], cost, now, sharing)
}

/// The meters of a route's limits, each with one rate limit, which nobody else takes of meanwhile: so what was
/// committed of them is never given back, and nobody is refused for what another one did not get.
pub type RouteMeters<'a> = [Option<Metered<'a>>; ROUTE_LIMITS_MAX];

/// The same as [`take`], of a route's limits as well.
///
/// # Errors
/// With the first check that refuses: rate limits, the route's last; then quotas, then credits.
pub fn take_on_route<'a>(
    [key, consumer, uses]: [Option<Metered<'a>>; 3],
    [first, second, third, fourth]: RouteMeters<'a>,
    cost: u64,
    now: Micros,
    sharing: &Sharing,
) -> Result<Option<LeaseNeed>, Refusal> {
    let all = [key, consumer, uses, first, second, third, fourth];
    take_all::<7, { 2 * RATES_MAX + ROUTE_LIMITS_MAX }>(all, cost, now, sharing)
}

fn take_all<const METERS: usize, const RATES: usize>(
    all: [Option<Metered<'_>>; METERS],
    cost: u64,
    now: Micros,
    sharing: &Sharing,
) -> Result<Option<LeaseNeed>, Refusal> {
    // Always the lineage before the consumer before the uses: two requests cannot wait in a ring.
    let mut held = all.map(|metered| metered.map(Held::new));
    loop {
        let readings = read_rates::<RATES>(&held, cost, now, sharing)?;
        check_blocks(&held, cost, now)?;
        if commit_rates(&readings, cost) {
            let low = readings.iter().flatten().find(|read| read.reading.asks_ahead());
            let low = low.map(|read| LeaseNeed::share(read.of, read.index, 1));
            return Ok(spend_blocks(&mut held, cost).or(low));
        }
    }
}

/// Those that a request meets: the lineage, its consumer, its uses, and then the route's.
type AllHeld<'a> = [Option<Held<'a>>];

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

type Readings<'a, const RATES: usize> = [Option<Read<'a>>; RATES];

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

fn read_rates<'a, const RATES: usize>(
    held: &AllHeld<'a>,
    cost: u64,
    now: Micros,
    sharing: &Sharing,
) -> Result<Readings<'a, RATES>, Refusal> {
    let mut readings: Readings<'a, RATES> = [None; RATES];
    let mut slots = readings.iter_mut();
    for Metered { of, rules, meter } in held.iter().flatten().map(|held| held.metered) {
        for (index, rule) in rules.rates.iter().enumerate() {
            let (Some(cell), Some(slot)) = (meter.cell(index), slots.next()) else {
                break;
            };
            let sharing = if matches!(of, Of::RouteHere(_)) { <&Sharing>::default() } else { sharing };
            let reading = cell.read(rule, cost, now, sharing);
            let reading = reading.map_err(|not_taken| refusal(of, index, cost, not_taken))?;
            *slot = Some(Read { of, index, cell, rule, reading });
        }
    }
    Ok(readings)
}

/// A key with one limit takes without the lock, so a cell may have moved since it was read: then
/// all that was committed is given back, and everything is checked again.
fn commit_rates(readings: &[Option<Read<'_>>], cost: u64) -> bool {
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
mod tests;
