//! What a lineage or a consumer may use: rate limits, a quota, credits; and how much of it is used.

use crate::calendar::{CreditsRule, QuotaRule};
use crate::ids::{ConsumerId, KeyId};
use crate::invalid::Invalid;
use crate::lease::{Block, Leased};
use crate::rate::{RateCell, RateRule, RateState};
use crate::route_limits::RouteMeterId;
use crate::time::Micros;
use keystead_api::{LimitSpec, QuotaSpec};
use parking_lot::{Mutex, MutexGuard};

/// The most rate limits of one key or consumer.
pub const RATES_MAX: usize = 8;

/// Whose meter it is; also the key of its account in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MeterId {
    /// A lineage's, by the id of its first key.
    Lineage(KeyId),
    /// A consumer's, shared by all of its keys.
    Consumer(ConsumerId),
    /// The number of uses of one key.
    Uses(UsesId),
    /// A limit of a guarded route, for one of those whom it counts apart.
    Route(RouteMeterId),
}

/// The account of a key's number of uses. Apart from its lineage's, whose id may be the key's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UsesId([u8; 13]);

impl UsesId {
    /// Tells it from a lineage's id, which has a byte less.
    const MARK: u8 = b'u';

    /// Of a key.
    #[must_use]
    pub fn of(key: KeyId) -> Self {
        let mut bytes = [Self::MARK; 13];
        if let Some(digits) = bytes.last_chunk_mut::<12>() {
            *digits = *key.as_bytes();
        }
        Self(bytes)
    }

    /// From the store's bytes; `None` when they are not such an id.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        let (mark, digits) = bytes.split_first()?;
        KeyId::from_slice(digits).filter(|_| *mark == Self::MARK).map(Self::of)
    }

    /// As the store keeps it.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 13] {
        &self.0
    }
}

impl MeterId {
    /// As the store keeps it.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Lineage(id) => id.as_bytes(),
            Self::Consumer(id) => &id.0,
            Self::Uses(id) => id.as_bytes(),
            Self::Route(id) => id.as_bytes(),
        }
    }
}

/// The rules of a meter.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MeterRules {
    /// Rate limits, in the order in which they are checked.
    pub rates: Box<[RateRule]>,
    /// A quota.
    pub quota: Option<QuotaRule>,
    /// Credits.
    pub credits: Option<CreditsRule>,
}

impl MeterRules {
    /// Compiles limits and a quota.
    ///
    /// # Errors
    /// With the field and its bounds.
    pub fn compile(
        limits: &[LimitSpec],
        quota: Option<&QuotaSpec>,
        credits: Option<CreditsRule>,
    ) -> Result<Self, Invalid> {
        if limits.len() > RATES_MAX {
            return Err(Invalid::new(
                "/limits",
                "There are too many limits.",
                format!("Use at most {RATES_MAX}."),
            ));
        }
        let mut rates: Vec<RateRule> = Vec::with_capacity(limits.len());
        for (index, spec) in limits.iter().enumerate() {
            let field = format!("/limits/{index}");
            let rule = RateRule::compile(spec).map_err(|invalid| invalid.below(&field))?;
            if rates.iter().any(|other| other.name == rule.name) {
                return Err(Invalid::new(
                    format!("{field}/name"),
                    format!("Two limits are called {}.", rule.name),
                    "Give each limit a name of its own.",
                ));
            }
            rates.push(rule);
        }
        let quota = quota.map(QuotaRule::compile).transpose().map_err(|invalid| invalid.below("/quota"))?;
        Ok(Self { rates: rates.into(), quota, credits })
    }

    pub(crate) const fn needs_lock(&self) -> bool {
        self.rates.len() > 1 || self.quota.is_some() || self.credits.is_some()
    }

    /// Whether it limits nothing.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rates.is_empty() && self.quota.is_none() && self.credits.is_none()
    }
}

/// The counters of a lineage or a consumer. The first rate limit stands inline: most keys have one.
#[derive(Debug, Default)]
pub struct Meter {
    first: RateCell,
    wide: Option<Box<Wide>>,
}

#[derive(Debug, Default)]
struct Wide {
    more: Box<[RateCell]>,
    blocks: Mutex<Blocks>,
}

/// The leased blocks of a meter.
#[derive(Debug, Default, Clone, Copy)]
pub struct Blocks {
    /// Of the quota.
    pub quota: Block,
    /// Of the credits.
    pub credits: Block,
    /// The account that the credits are of: new credits are another account's.
    pub credits_epoch: i64,
}

/// What was leased and not spent, to be given back. Each with the end of its period.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Unspent {
    /// Of the quota.
    pub quota: Option<(u64, Micros)>,
    /// Of the credits.
    pub credits: Option<(u64, Micros)>,
    /// Of which account the credits are.
    pub credits_epoch: i64,
}

/// Which of a meter's accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Account {
    /// The quota.
    Quota,
    /// The credits.
    Credits,
    /// A rate limit that other nodes count too, by its index in the rules.
    Rate(u8),
}

impl Meter {
    /// One from which nothing was taken.
    #[must_use]
    pub fn new(rules: &MeterRules) -> Self {
        let wide = rules.needs_lock().then(|| {
            let more = rules.rates.iter().skip(1).map(|_| RateCell::new()).collect();
            Box::new(Wide { more, blocks: Mutex::default() })
        });
        Self { first: RateCell::new(), wide }
    }

    /// One for new rules: a limit that keeps its name keeps its count, leased blocks move over.
    #[must_use]
    pub fn carried(&self, old: &MeterRules, new: &MeterRules) -> Self {
        let cell = |rule: &RateRule| {
            let index = old.rates.iter().position(|other| other.name == rule.name);
            index.and_then(|index| self.cell(index)).map_or_else(RateCell::new, RateCell::standing_at)
        };
        let wide = new.needs_lock().then(|| {
            // Moved, not copied: requests that still hold the old meter would spend the same units again.
            let mut blocks = self.blocks().map(|mut blocks| std::mem::take(&mut *blocks)).unwrap_or_default();
            if old.quota != new.quota {
                blocks.quota = Block::default();
            }
            if old.credits != new.credits {
                blocks.credits = Block::default();
            }
            Box::new(Wide { more: new.rates.iter().skip(1).map(cell).collect(), blocks: Mutex::new(blocks) })
        });
        Self { first: new.rates.first().map_or_else(RateCell::new, cell), wide }
    }

    pub(crate) const fn first(&self) -> &RateCell {
        &self.first
    }

    /// The counter of the rate limit at `index` of the rules.
    #[must_use]
    pub fn cell(&self, index: usize) -> Option<&RateCell> {
        match index.checked_sub(1) {
            None => Some(&self.first),
            Some(index) => self.wide.as_ref()?.more.get(index),
        }
    }

    pub(crate) fn blocks(&self) -> Option<MutexGuard<'_, Blocks>> {
        self.wide.as_ref().map(|wide| wide.blocks.lock())
    }

    /// Adds a leased block.
    pub fn add(&self, account: Account, leased: Leased) {
        if let Some(mut blocks) = self.blocks() {
            match account {
                Account::Quota => blocks.quota.add(leased),
                Account::Credits => blocks.credits.add(leased),
                Account::Rate(_) => {}
            }
        }
    }

    /// Adds a leased block of the credits of one account. A block of an account that has been
    /// replaced meanwhile is worth nothing, nor is what is left of one here.
    pub fn add_credits(&self, leased: Leased, epoch: i64) {
        self.see_credits(epoch);
        if let Some(mut blocks) = self.blocks()
            && blocks.credits_epoch == epoch
        {
            blocks.credits.add(leased);
        }
    }

    /// Has the store asked again from then on, also when it had nothing left.
    pub fn ask_again(&self, account: Account, at: Micros) {
        if let Some(mut blocks) = self.blocks() {
            match account {
                Account::Quota => blocks.quota.ask_again(at),
                Account::Credits => blocks.credits.ask_again(at),
                Account::Rate(_) => {}
            }
        }
    }

    /// Hears which account the credits are of now: what is left of another's is dropped.
    pub fn see_credits(&self, epoch: i64) {
        if let Some(mut blocks) = self.blocks()
            && blocks.credits_epoch < epoch
        {
            blocks.credits = Block::default();
            blocks.credits_epoch = epoch;
        }
    }

    /// Takes out unspent quota and credits, to give them back to the store.
    pub fn take_out(&self, now: Micros) -> Unspent {
        self.blocks().map_or_else(Unspent::default, |mut blocks| Unspent {
            quota: blocks.quota.take_out_until(now),
            credits: blocks.credits.take_out_until(now),
            credits_epoch: blocks.credits_epoch,
        })
    }

    /// A copy of the leased blocks, for showing what remains.
    #[must_use]
    pub fn show_blocks(&self) -> Blocks {
        self.blocks().map(|blocks| *blocks).unwrap_or_default()
    }

    /// Where the rate limit at `index` of the rules stands, taking nothing.
    #[must_use]
    pub fn rate_state(&self, rules: &MeterRules, index: usize, cost: u64, now: Micros) -> Option<RateState> {
        Some(self.cell(index)?.state(rules.rates.get(index)?, cost, now))
    }
}
