//! Shares of a rate limit, where several nodes count it together: a node takes a share from the limit's
//! one account before it lets anything pass, and what it has not spent of it soon is worth nothing.
//!
//! Over all nodes, what passes in any time `t` was taken from the account in that time or at most a
//! share's life before it: never more than `limit · (t + window / 16) / window + burst`.

use crate::rate::{RateRule, RateState, debt_end, nanos, state_of};
use crate::time::Micros;
use std::sync::atomic::{AtomicI64, Ordering};

/// A share lives for this part of the window. A tenth is promised; the rest is left for clocks of nodes
/// that differ.
const LIFE_PARTS: u64 = 16;
/// One node takes at most this part of what remains at once, unless it needs more: others ask, too.
const LEFT_PARTS: u64 = 4;
/// An account that is no further ahead of its limit than this, or than a share's life, was written by a
/// node whose clock is ahead; one that is, before a clock stepped back.
const STEP_NS_MIN: u64 = 60_000_000_000;

/// Until when this process counts rate limits alone, in memory. After that it spends shares.
#[derive(Debug)]
pub struct Sharing(AtomicI64);

static ALONE: Sharing = Sharing::alone();

impl Default for &Sharing {
    /// Alone for ever: the sole owner of its counters.
    fn default() -> Self {
        &ALONE
    }
}

impl Sharing {
    /// Alone for ever.
    #[must_use]
    pub const fn alone() -> Self {
        Self(AtomicI64::new(i64::MAX))
    }

    /// Among others from the beginning.
    #[must_use]
    pub const fn among_others() -> Self {
        Self(AtomicI64::new(i64::MIN))
    }

    /// Says until when it counts alone.
    pub fn set_alone_until(&self, until: Micros) {
        self.0.store(until.0, Ordering::SeqCst);
    }

    /// Whether it counts alone.
    pub fn is_alone(&self, now: Micros) -> bool {
        now.0 < self.0.load(Ordering::SeqCst)
    }
}

/// The one account of a limit that several nodes count: when all that was taken will have been paid for,
/// in nanoseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RateAccount(pub u64);

/// Units that one node may let pass until then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// How many.
    pub units: u64,
    /// When they are worth nothing any more.
    pub until: Micros,
}

impl RateAccount {
    /// Takes `need` units at least and `want` at most: no more than a part of what remains.
    ///
    /// # Errors
    /// With the state when less than the need remains. Nothing is taken then; only an account that was
    /// written before a clock stepped back is brought near.
    pub fn take(
        &mut self,
        rule: &RateRule,
        (need, want): (u64, u64),
        now: Micros,
    ) -> Result<Share, RateState> {
        let now_ns = nanos(now);
        let full = now_ns.saturating_add(rule.tolerance_ns());
        // Clocks may differ by more than a minute where a window is long. An account that was set back
        // for that would be filled anew by each node in turn.
        if self.0 > full.saturating_add(STEP_NS_MIN.max(life_ns(rule))) {
            self.0 = full;
        }
        let state = state_of(self.0, rule, need, now_ns);
        if need > state.remaining {
            return Err(state);
        }
        let units = want.min(state.remaining / LEFT_PARTS).max(need).min(UNITS_MAX);
        self.0 = debt_end(self.0, rule, now_ns).saturating_add(rule.unit_ns().saturating_mul(units));
        Ok(Share { units, until: now.plus(life_micros(rule)) })
    }
}

fn life_micros(rule: &RateRule) -> i64 {
    i64::try_from(rule.window_seconds * (1_000_000 / LIFE_PARTS)).unwrap_or(i64::MAX)
}

fn life_ns(rule: &RateRule) -> u64 {
    rule.window_seconds * (1_000_000_000 / LIFE_PARTS)
}

/// Marks the word of a cell that holds a share. No instant before 2262 has this bit.
pub(crate) const SHARED: u64 = 1 << 63;
/// The next share is on its way.
const ASKED: u64 = 1 << 62;
const CLASS_AT: u32 = 58;
/// Instead of a share's size: the account had nothing when it was last asked.
const DRY: u64 = 15;
const UNITS_AT: u32 = 38;
const UNITS_MAX: u64 = (1 << 20) - 1;
const UNTIL_MAX: u64 = (1 << 38) - 1;
/// Ends of shares are kept in hundredths of a second since 2020: enough until 2107.
const TICK_NS: u64 = 10_000_000;
const EPOCH_NS: u64 = 1_577_836_800_000_000_000;

/// What a cell holds of a limit that is shared, in one word, so that one compare-and-swap counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Held {
    units: u64,
    /// The share's end, or when a dry account is asked again.
    until_ns: u64,
    /// The size of the share as a power of two, or [`DRY`].
    class: u64,
    asked: bool,
}

/// What a cell says to a cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Said {
    /// It may pass and leaves this; the next share should be taken ahead of need.
    Passes(Held, bool),
    /// A share must be taken first.
    Ask,
    /// The account had nothing left a moment ago; so long to wait, in nanoseconds.
    Dry(u64),
}

impl Held {
    /// Nothing is held, and the account has not been asked.
    pub(crate) const NOTHING: Self = Self { units: 0, until_ns: 0, class: 0, asked: false };

    pub(crate) const fn read(word: u64) -> Self {
        Self {
            units: (word >> UNITS_AT) & UNITS_MAX,
            until_ns: (word & UNTIL_MAX) * TICK_NS + EPOCH_NS,
            class: (word >> CLASS_AT) & 15,
            asked: word & ASKED != 0,
        }
    }

    pub(crate) fn word(self) -> u64 {
        let until = (self.until_ns.saturating_sub(EPOCH_NS) / TICK_NS).min(UNTIL_MAX);
        let asked = if self.asked { ASKED } else { 0 };
        SHARED | asked | self.class << CLASS_AT | self.units.min(UNITS_MAX) << UNITS_AT | until
    }

    const fn is_valid(self, now_ns: u64) -> bool {
        now_ns < self.until_ns && self.class != DRY
    }

    /// The end of what is held, or of the pause of a dry account.
    pub(crate) const fn until_ns(self) -> u64 {
        self.until_ns
    }

    /// Units that may be spent now.
    pub(crate) const fn units(self, now_ns: u64) -> u64 {
        if self.is_valid(now_ns) { self.units } else { 0 }
    }

    pub(crate) fn say(self, rule: &RateRule, cost: u64, now_ns: u64) -> Said {
        if now_ns < self.until_ns && self.class == DRY {
            return Said::Dry(self.until_ns - now_ns);
        }
        if !self.is_valid(now_ns) || self.units < cost {
            return Said::Ask;
        }
        let units = self.units - cost;
        // Half of it was spent in less than half of its life: the rest will not do.
        let is_low = self.class > 1 && units * 2 < 1 << self.class;
        let ahead = is_low && !self.asked && self.until_ns - now_ns > life_ns(rule) / 2;
        Said::Passes(Self { units, asked: self.asked || ahead, ..self }, ahead)
    }

    /// How many units a node that needs another share should want: what half a life took lately.
    pub(crate) fn want(self, rule: &RateRule, need: u64, now_ns: u64) -> u64 {
        let life = life_ns(rule);
        if self.class == DRY || now_ns >= self.until_ns.saturating_add(life) {
            return need;
        }
        let size = 1_u64 << self.class;
        let took = life.saturating_sub(self.until_ns.saturating_sub(now_ns)).max(1);
        let spent = size.saturating_sub(self.units.min(size));
        let rate = u128::from(spent) * u128::from(life / 2) / u128::from(took);
        u64::try_from(rate).unwrap_or(u64::MAX).min(size * 4).max(need)
    }

    /// With another share: what is held already lives no longer for it.
    pub(crate) fn with(self, share: Share, rule: &RateRule, now_ns: u64) -> Self {
        let until_ns = nanos(share.until);
        // What ends soon is dropped rather than let the new units end with it.
        let keeps = self.is_valid(now_ns) && self.until_ns - now_ns >= life_ns(rule) / 2;
        let (units, until_ns) = if keeps {
            (self.units + share.units, until_ns.min(self.until_ns))
        } else {
            (share.units, until_ns)
        };
        let units = units.min(UNITS_MAX);
        Self { units, until_ns, class: u64::from(units.max(1).ilog2()).min(DRY - 1), asked: false }
    }

    /// After an answer that nothing is left, unless something is still held: then the account is not
    /// asked again before it can have something worth asking for.
    pub(crate) fn dried(self, state: RateState, rule: &RateRule, now_ns: u64) -> Self {
        if self.units(now_ns) > 0 || state.remaining > 0 {
            return self;
        }
        let pause = (life_ns(rule) / 8).min(rule.tolerance_ns() / 4);
        let wait = state.wait_ns.min(life_ns(rule)).max(pause).max(TICK_NS);
        Self { units: 0, until_ns: now_ns.saturating_add(wait), class: DRY, asked: false }
    }

    /// With units back that were taken and not used; `None` when they are of another share, in which they
    /// would live longer.
    pub(crate) fn with_back(self, units: u64, of: Self) -> Option<Self> {
        let is_same = self.until_ns == of.until_ns && self.class != DRY;
        is_same.then(|| Self { units: self.units + units, ..self })
    }
}

#[cfg(test)]
#[cfg(not(feature = "loom"))]
mod tests;
