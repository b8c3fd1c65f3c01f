//! Rate limits that slide over time: GCRA (the virtual scheduling of ITU-T I.371) on one atomic.
//!
//! At most `limit · t / window + burst` units pass in any time `t`, whatever the threads.

mod rule;

pub use rule::{LIMIT_MAX, RateRule, WINDOW_SECONDS_MAX, parse_window};

use crate::share::{Held, SHARED, Said, Share, Sharing};
use crate::time::Micros;
#[cfg(feature = "loom")]
use loom::sync::atomic::{AtomicU64, Ordering};
#[cfg(not(feature = "loom"))]
use std::sync::atomic::{AtomicU64, Ordering};

/// A clock that is this much earlier than before has stepped back.
const STEP_NS_MIN: u64 = 1_000_000_000;

/// What a limit has to say of a cost now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateState {
    /// Units that may pass now.
    pub remaining: u64,
    /// Nanoseconds until the cost may pass; 0 when it may now, `u64::MAX` when it never will.
    pub wait_ns: u64,
}

/// Where one limit stands: the instant (in nanoseconds) at which all that passed will have been
/// paid for; or, where other nodes count it too, what this one holds of it ([`Held`]). One word, so that
/// one compare-and-swap counts.
#[derive(Debug)]
pub struct RateCell(AtomicU64);

/// A reading of a cell, to be committed if nobody was faster.
#[derive(Debug, Clone, Copy)]
pub struct Reading {
    seen: u64,
    next: u64,
    ahead: bool,
}

/// Why a cost was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotTaken {
    /// It may not pass now.
    Over(RateState),
    /// Other nodes count this limit, too: a share must be taken from its account first.
    Share,
}

impl Reading {
    /// Whether the next share should be taken ahead of need.
    #[must_use]
    pub const fn asks_ahead(&self) -> bool {
        self.ahead
    }
}

impl RateCell {
    /// One from which nothing was taken.
    #[must_use]
    pub fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// One that stands where another stood: a limit that is edited keeps its count.
    ///
    /// A share moves, or both would spend it.
    #[must_use]
    pub fn standing_at(other: &Self) -> Self {
        let word = other.0.load(Ordering::Acquire);
        if word & SHARED == 0 {
            return Self(AtomicU64::new(word));
        }
        Self(AtomicU64::new(other.0.swap(Held::NOTHING.word(), Ordering::AcqRel)))
    }

    /// Takes `cost` units, or takes nothing. Answers whether the next share should be taken ahead.
    ///
    /// # Errors
    /// When the cost may not pass now, or a share is needed first.
    pub fn take(&self, rule: &RateRule, cost: u64, now: Micros, sharing: &Sharing) -> Result<bool, NotTaken> {
        loop {
            let reading = self.read(rule, cost, now, sharing)?;
            if self.commit(reading) {
                return Ok(reading.ahead);
            }
        }
    }

    /// Reads what taking `cost` would write, and takes nothing.
    ///
    /// # Errors
    /// When the cost may not pass now, or a share is needed first.
    #[inline]
    pub fn read(
        &self,
        rule: &RateRule,
        cost: u64,
        now: Micros,
        sharing: &Sharing,
    ) -> Result<Reading, NotTaken> {
        let now_ns = nanos(now);
        let seen = self.current(rule, now_ns);
        if seen & SHARED != 0 {
            return read_share(seen, rule, cost, now_ns);
        }
        // Asked after the word was read: once other nodes count too, only words that they know of pass.
        if !sharing.is_alone(now) {
            return Err(NotTaken::Share);
        }
        let next = debt_end(seen, rule, now_ns).saturating_add(rule.unit_ns().saturating_mul(cost));
        if next.saturating_sub(now_ns) > rule.tolerance_ns() {
            return Err(NotTaken::Over(state_of(seen, rule, cost, now_ns)));
        }
        Ok(Reading { seen, next, ahead: false })
    }

    /// The debt's end. One further ahead than any taking could have put it was written before the
    /// clock stepped back: it is brought near and written down, so that an hour's step refuses for
    /// one window and not for an hour. Two threads' clocks may differ a little: that is no step.
    fn current(&self, rule: &RateRule, now_ns: u64) -> u64 {
        let seen = self.0.load(Ordering::Acquire);
        let full = now_ns.saturating_add(rule.tolerance_ns());
        if seen <= full.saturating_add(STEP_NS_MIN) || seen & SHARED != 0 {
            return seen;
        }
        match self.0.compare_exchange(seen, full, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => full,
            Err(moved) => moved,
        }
    }

    /// Writes a reading; `false`, and nothing written, when the cell has moved since.
    pub fn commit(&self, reading: Reading) -> bool {
        self.0.compare_exchange(reading.seen, reading.next, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// Gives `cost` units back that were committed by this reading and then not used; to the share that
    /// they are of, or to none.
    pub fn give_back(&self, reading: Reading, rule: &RateRule, cost: u64) {
        self.change(|word| match (word & SHARED, reading.next & SHARED) {
            (0, 0) => Some(word.saturating_sub(rule.unit_ns().saturating_mul(cost))),
            (SHARED, SHARED) => Held::read(word).with_back(cost, Held::read(reading.next)).map(Held::word),
            _ => None,
        });
    }

    /// Where the limit stands, taking nothing. Of a limit that other nodes count too, what this one
    /// holds of it.
    pub fn state(&self, rule: &RateRule, cost: u64, now: Micros) -> RateState {
        let (word, now_ns) = (self.0.load(Ordering::Acquire), nanos(now));
        if word & SHARED == 0 {
            return state_of(word, rule, cost, now_ns);
        }
        let held = Held::read(word);
        let wait_ns = match held.say(rule, cost, now_ns) {
            _ if cost > rule.burst => u64::MAX,
            Said::Dry(wait_ns) => wait_ns,
            Said::Ask | Said::Passes(..) => 0,
        };
        RateState { remaining: held.units(now_ns), wait_ns }
    }

    /// How many units this node should want when it must take a share for this cost.
    pub fn want(&self, rule: &RateRule, cost: u64, now: Micros) -> u64 {
        let word = self.0.load(Ordering::Acquire);
        if word & SHARED == 0 { cost } else { Held::read(word).want(rule, cost, nanos(now)) }
    }

    /// Adds what was taken from the limit's account: a share, or the answer that there is none. Nothing
    /// changes when this process counts alone again.
    pub fn hear(&self, rule: &RateRule, answer: Result<Share, RateState>, now: Micros, sharing: &Sharing) {
        let now_ns = nanos(now);
        self.change(|word| {
            let held = match word & SHARED {
                0 if sharing.is_alone(now) => return None,
                0 => Held::NOTHING,
                _ => Held::read(word),
            };
            Some(match answer {
                Ok(share) => held.with(share, rule, now_ns).word(),
                Err(state) => held.dried(state, rule, now_ns).word(),
            })
        });
    }

    /// From now on the limit is counted together with others: when all that this process counted alone
    /// will have been paid for, in nanoseconds since 1970. 0 when it was counted together already.
    pub fn surrender(&self) -> u64 {
        let mut counted = 0;
        self.change(|word| {
            counted = if word & SHARED == 0 { word } else { 0 };
            (word & SHARED == 0).then(|| Held::NOTHING.word())
        });
        counted
    }

    /// From now on the limit is counted here alone, from where its account stands. Only while nobody
    /// counts. An account that was written before the clock stepped back is brought near.
    pub fn resume(&self, rule: &RateRule, account: u64, now: Micros) {
        let full = nanos(now).saturating_add(rule.tolerance_ns());
        self.0.store(account.min(full), Ordering::Release);
    }

    /// Stands where its account does, wherever that is, until [`Self::resume`] brings it near.
    pub fn stand_at(&self, account: u64) {
        self.0.store(account & !SHARED, Ordering::Release);
    }

    /// Drops a share that came in after the others had gone, now that the limit is counted here alone. What
    /// is counted stays.
    pub fn drop_share(&self) {
        self.change(|word| (word & SHARED != 0).then_some(0));
    }

    /// Whether nothing that it holds counts any more: a new one would say the same. A moment later than that, because
    /// clocks of threads differ a little.
    pub(crate) fn is_over(&self, now: Micros) -> bool {
        let word = self.0.load(Ordering::Acquire);
        let until_ns = if word & SHARED == 0 { word } else { Held::read(word).until_ns() };
        until_ns.saturating_add(STEP_NS_MIN) <= nanos(now)
    }

    fn change(&self, mut to: impl FnMut(u64) -> Option<u64>) {
        let mut word = self.0.load(Ordering::Acquire);
        while let Some(next) = to(word) {
            match self.0.compare_exchange(word, next, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return,
                Err(moved) => word = moved,
            }
        }
    }
}

impl Default for RateCell {
    fn default() -> Self {
        Self::new()
    }
}

#[cold]
fn read_share(seen: u64, rule: &RateRule, cost: u64, now_ns: u64) -> Result<Reading, NotTaken> {
    if cost > rule.burst {
        return Err(NotTaken::Over(RateState { remaining: 0, wait_ns: u64::MAX }));
    }
    match Held::read(seen).say(rule, cost, now_ns) {
        Said::Passes(next, ahead) => Ok(Reading { seen, next: next.word(), ahead }),
        Said::Ask => Err(NotTaken::Share),
        Said::Dry(wait_ns) => Err(NotTaken::Over(RateState { remaining: 0, wait_ns })),
    }
}

/// The end of the debt, never in the past, and never further ahead than a full burst.
pub(crate) fn debt_end(seen: u64, rule: &RateRule, now_ns: u64) -> u64 {
    seen.clamp(now_ns, now_ns.saturating_add(rule.tolerance_ns()))
}

pub(crate) fn state_of(seen: u64, rule: &RateRule, cost: u64, now_ns: u64) -> RateState {
    let debt = debt_end(seen, rule, now_ns) - now_ns;
    let tolerance = rule.tolerance_ns();
    let wanted = rule.unit_ns().saturating_mul(cost);
    RateState {
        remaining: (tolerance - debt) / rule.unit_ns(),
        wait_ns: if wanted > tolerance { u64::MAX } else { (debt + wanted).saturating_sub(tolerance) },
    }
}

/// No instant that is counted has the bit of [`SHARED`], nor one that is a window later.
const NANOS_MAX: u64 = (1 << 63) - 2 * WINDOW_SECONDS_MAX * 1_000_000_000;

/// Instants before 1970 count as 1970; those after 2262 stand still.
pub(crate) fn nanos(at: Micros) -> u64 {
    u64::try_from(at.0).unwrap_or(0).saturating_mul(1_000).min(NANOS_MAX)
}

#[cfg(test)]
#[cfg(not(feature = "loom"))]
mod tests;
