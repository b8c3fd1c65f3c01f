//! Credits and quotas are spent from blocks that the store has already counted as spent.
//!
//! A block is at most a tenth of what remains (at least what is needed), so a crash forfeits
//! little, and nothing is ever spent twice: the store is debited before the block is used.

use crate::calendar::{CreditsRule, QuotaRule};
use crate::time::Micros;

/// What this process may spend of credits or a quota without asking the store.
#[derive(Debug, Clone, Copy, Default)]
pub struct Block {
    available: u64,
    size: u64,
    /// What the store had left when the block was taken.
    beyond: u64,
    /// `None` before the first lease.
    valid_until: Option<Micros>,
    /// When the store is asked again though it had nothing left; `None` where nobody else can have
    /// given anything back to it.
    ask_again_at: Option<Micros>,
}

/// What a block says to a cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It covers the cost.
    Enough,
    /// The store must be asked for this many units more.
    Lease(u64),
    /// Neither the block nor the store covers it.
    Exhausted,
}

/// A block taken from the store, to be added to this process's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leased {
    /// Units taken.
    pub taken: u64,
    /// Units left in the store.
    pub beyond: u64,
    /// When the period of these units ends; unspent ones are worth nothing after that.
    pub valid_until: Micros,
}

impl Block {
    /// Whether the cost may be spent.
    #[must_use]
    pub fn standing(&self, cost: u64, now: Micros) -> Standing {
        if cost == 0 {
            return Standing::Enough;
        }
        match self.valid_until {
            Some(until) if now < until => {}
            _ => return Standing::Lease(cost),
        }
        if self.available >= cost {
            Standing::Enough
        } else if self.available.saturating_add(self.beyond) >= cost {
            Standing::Lease(cost - self.available)
        } else if self.ask_again_at.is_some_and(|at| now >= at) {
            Standing::Lease(cost.saturating_sub(self.available))
        } else {
            Standing::Exhausted
        }
    }

    /// Has the store asked again from then on, also when it had nothing left: another node may have
    /// given back what it held.
    pub const fn ask_again(&mut self, at: Micros) {
        self.ask_again_at = Some(at);
    }

    /// Spends what [`Block::standing`] allowed under the same lock.
    pub const fn spend(&mut self, cost: u64) {
        self.available = self.available.saturating_sub(cost);
    }

    /// Whether it is time to lease the next block ahead of need.
    #[must_use]
    pub const fn runs_low(&self) -> bool {
        self.available < self.size / 2 && self.beyond > 0
    }

    /// Adds a leased block; what was left of an ended period is dropped.
    pub fn add(&mut self, leased: Leased) {
        if self.valid_until != Some(leased.valid_until) {
            self.available = 0;
        }
        self.available = self.available.saturating_add(leased.taken);
        self.size = self.available;
        self.beyond = leased.beyond;
        self.valid_until = Some(leased.valid_until);
    }

    /// Takes out all that is unspent and still worth something, to give it back to the store.
    pub fn take_out(&mut self, now: Micros) -> u64 {
        self.take_out_until(now).map_or(0, |(unspent, _)| unspent)
    }

    /// The same, with the end of the period in which it is worth something.
    pub fn take_out_until(&mut self, now: Micros) -> Option<(u64, Micros)> {
        let block = std::mem::take(self);
        let until = block.valid_until.filter(|until| now < *until)?;
        (block.available > 0).then_some((block.available, until))
    }

    /// Units that may still be spent here and in the store, and until when; `None` before the
    /// first lease or after the period.
    #[must_use]
    pub fn remaining(&self, now: Micros) -> Option<(u64, Micros)> {
        let until = self.valid_until.filter(|until| now < *until)?;
        Some((self.available.saturating_add(self.beyond), until))
    }

    /// Units that this process holds of the current period.
    #[must_use]
    pub fn held(&self, now: Micros) -> u64 {
        if self.valid_until.is_some_and(|until| now < until) { self.available } else { 0 }
    }
}

/// What the store keeps of a lineage's credits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CreditsAccount {
    /// Units not yet leased to anybody.
    pub remaining: u64,
    /// When they are set back; `None` when they never are.
    pub refill_at: Option<Micros>,
}

impl CreditsAccount {
    /// A new account with its first units.
    #[must_use]
    pub fn open(remaining: u64, rule: &CreditsRule, now: Micros) -> Self {
        Self { remaining, refill_at: rule.next_refill(now) }
    }

    /// The account as of now: refilled when it is time.
    ///
    /// A refill further away than one period was set by a clock that has since stepped back: it is
    /// brought near again, and nothing is refilled for it.
    #[must_use]
    pub fn at(self, rule: &CreditsRule, now: Micros) -> Self {
        let next = rule.next_refill(now);
        match (self.refill_at, next) {
            (Some(due), Some(_)) if due <= now => Self { remaining: rule.amount, refill_at: next },
            (Some(due), Some(next)) if due < next => Self { remaining: self.remaining, refill_at: Some(due) },
            _ => Self { remaining: self.remaining, refill_at: next },
        }
    }

    /// Leases at least `need` units if that many remain; else none.
    pub fn lease(&mut self, rule: &CreditsRule, need: u64, now: Micros) -> Leased {
        *self = self.at(rule, now);
        let taken = block_size(self.remaining, need);
        self.remaining -= taken;
        Leased { taken, beyond: self.remaining, valid_until: self.refill_at.unwrap_or(Micros::FOREVER) }
    }

    /// Takes unspent units back.
    pub const fn give_back(&mut self, unspent: u64) {
        self.remaining = self.remaining.saturating_add(unspent);
    }
}

/// What the store keeps of a quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct QuotaAccount {
    /// Units leased in the current period.
    pub used: u64,
    /// When that period ends; `None` before the first lease.
    pub resets_at: Option<Micros>,
}

impl QuotaAccount {
    /// The account as of now: empty in a new period.
    ///
    /// A period that ends later than the current one was set by a clock that has since stepped
    /// back: its use is kept, so that stepping clocks give nothing away.
    #[must_use]
    pub fn at(self, rule: &QuotaRule, now: Micros) -> Self {
        let ends = rule.period_end(now);
        let used = if self.resets_at.is_some_and(|end| now < end) { self.used } else { 0 };
        Self { used, resets_at: Some(ends) }
    }

    /// Leases at least `need` units if that many remain; else none.
    pub fn lease(&mut self, rule: &QuotaRule, need: u64, now: Micros) -> Leased {
        *self = self.at(rule, now);
        let remaining = rule.limit.saturating_sub(self.used);
        let taken = block_size(remaining, need);
        self.used += taken;
        Leased { taken, beyond: remaining - taken, valid_until: self.resets_at.unwrap_or(Micros::FOREVER) }
    }

    /// Takes unspent units of the current period back.
    pub const fn give_back(&mut self, unspent: u64) {
        self.used = self.used.saturating_sub(unspent);
    }
}

fn block_size(remaining: u64, need: u64) -> u64 {
    if need > remaining { 0 } else { need.max(remaining / 10) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use keystead_api::{QuotaPeriod, QuotaSpec, Refill};
    use proptest::prelude::*;

    fn at(text: &str) -> Micros {
        text.parse::<jiff::Timestamp>().unwrap().into()
    }

    const DAILY: CreditsRule = CreditsRule { refill: Refill::Daily, amount: 50 };
    const NEVER: CreditsRule = CreditsRule { refill: Refill::None, amount: 0 };

    #[test]
    fn a_block_is_a_tenth_of_what_remains_or_what_is_needed() {
        let mut account = CreditsAccount::open(100, &NEVER, Micros(0));
        assert_eq!(account.lease(&NEVER, 1, Micros(0)).taken, 10);
        assert_eq!(account.lease(&NEVER, 40, Micros(0)).taken, 40);
        assert_eq!(account.lease(&NEVER, 51, Micros(0)).taken, 0);
        assert_eq!(account.remaining, 50);
    }

    #[test]
    fn what_another_node_gave_back_is_found_after_a_while() {
        let (now, later) = (Micros(0), Micros(5_000_000));
        let mut account = CreditsAccount::open(0, &NEVER, now);
        let mut block = Block::default();
        block.add(account.lease(&NEVER, 1, now));
        assert_eq!(block.standing(1, later), Standing::Exhausted);
        block.ask_again(later);
        assert_eq!(block.standing(1, later.plus(-1)), Standing::Exhausted);
        assert_eq!(block.standing(1, later), Standing::Lease(1));
    }

    #[test]
    fn a_refill_sets_the_amount_once_a_period_and_voids_blocks_of_the_old() {
        let noon = at("2026-01-01T12:00:00Z");
        let mut account = CreditsAccount::open(100, &DAILY, noon);
        let mut block = Block::default();
        block.add(account.lease(&DAILY, 1, noon));
        let next = at("2026-01-02T00:00:00Z");
        assert_eq!(block.standing(1, next.plus(-1)), Standing::Enough);
        assert_eq!(block.standing(1, next), Standing::Lease(1));
        block.add(account.lease(&DAILY, 1, next));
        assert_eq!(block.remaining(next).unwrap().0, 50);
    }

    #[test]
    fn a_clock_a_year_ahead_and_back_neither_refills_twice_nor_stops_refills() {
        let (now, ahead) = (at("2026-01-01T12:00:00Z"), at("2027-01-01T12:00:00Z"));
        let mut account = CreditsAccount::open(10, &DAILY, now);
        account.lease(&DAILY, 1, ahead);
        let left = account.remaining;
        account.lease(&DAILY, 0, now);
        assert_eq!(
            (account.remaining, account.refill_at),
            (left - left / 10, Some(at("2026-01-02T00:00:00Z")))
        );
        let day =
            QuotaRule::compile(&QuotaSpec { limit: 10, per: QuotaPeriod::Day, time_zone: None }).unwrap();
        let mut quota = QuotaAccount::default();
        quota.lease(&day, 10, ahead);
        assert_eq!(quota.lease(&day, 1, now).taken, 0);
        assert_eq!(quota.lease(&day, 1, at("2026-01-02T00:00:00Z")).taken, 1);
    }

    proptest! {
        /// LESSONS 8: credits are never over-spent, whatever the costs, crashes and graceful stops.
        #[test]
        fn lesson_8_never_over_spent(credits in 0_u64..500, acts in proptest::collection::vec((0_u8..10, 1_u64..20), 0..400)) {
            let now = Micros(0);
            let mut account = CreditsAccount::open(credits, &NEVER, now);
            let mut block = Block::default();
            let mut spent = 0;
            for (act, cost) in acts {
                match act {
                    0 => block = Block::default(),
                    1 => account.give_back(block.take_out(now)),
                    _ => {
                        if let Standing::Lease(need) = block.standing(cost, now) {
                            block.add(account.lease(&NEVER, need, now));
                        }
                        if block.standing(cost, now) == Standing::Enough {
                            block.spend(cost);
                            spent += cost;
                        }
                    }
                }
                prop_assert!(spent + block.held(now) + account.remaining <= credits);
            }
        }

        /// Without crashes, every credit can be spent one by one.
        #[test]
        fn all_of_them_can_be_spent(credits in 0_u64..300) {
            let now = Micros(0);
            let mut account = CreditsAccount::open(credits, &NEVER, now);
            let mut block = Block::default();
            let mut spent = 0;
            loop {
                match block.standing(1, now) {
                    Standing::Enough => { block.spend(1); spent += 1; }
                    Standing::Lease(need) => block.add(account.lease(&NEVER, need, now)),
                    Standing::Exhausted => break,
                }
            }
            prop_assert_eq!(spent, credits);
        }
    }
}
