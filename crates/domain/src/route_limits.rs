//! Rate limits of a guarded route, beside those of keys and consumers: whom each counts together, and in which cell.

mod cells;
mod id;
#[cfg(test)]
#[cfg(not(feature = "loom"))]
mod tests;

pub use cells::RouteCells;
pub use id::RouteMeterId;

use crate::decide::Ask;
use crate::entry::Entry;
use crate::ids::EnvironmentId;
use crate::invalid::Invalid;
use crate::meter::{Meter, MeterRules};
use crate::rate::{RateRule, RateState};
use crate::take::{LeaseNeed, Metered, Of, Refusal, take_on_route};
use crate::time::Micros;
use aws_lc_rs::digest::{SHA256, digest};
use id::Whom;
use keystead_api::{GuardLimit, LimitPer, LimitSpec};
use std::array::from_fn;
use std::sync::Arc;

/// The most rate limits of one route.
pub const ROUTE_LIMITS_MAX: usize = 4;

/// A rate limit of a route, compiled.
#[derive(Debug)]
pub struct RouteLimit {
    /// Whose requests it counts together.
    pub per: LimitPer,
    /// Its one rate limit.
    pub rules: MeterRules,
    id: [u8; 16],
}

impl RouteLimit {
    /// Compiles a route's limits. `route` tells it from the others of its guard: a limit that keeps its route, name and
    /// [`LimitPer`] keeps its counts, whatever else changes.
    ///
    /// # Errors
    /// With the field and its bounds.
    pub fn list(route: &str, specs: &[GuardLimit], public: bool) -> Result<Box<[Self]>, Invalid> {
        if specs.len() > ROUTE_LIMITS_MAX {
            let fix = format!("Use at most {ROUTE_LIMITS_MAX}.");
            return Err(Invalid::new("/limits", "The route has too many limits.", fix));
        }
        let mut limits = Vec::with_capacity(specs.len());
        for (at, spec) in specs.iter().enumerate() {
            let below = |invalid: Invalid| invalid.below(&format!("/limits/{at}"));
            if specs.iter().take(at).any(|other| other.name == spec.name) {
                let what = format!("Two limits are called {}.", spec.name);
                let fix = "Give each limit of the route a name of its own.";
                return Err(below(Invalid::new("/name", what, fix)));
            }
            limits.push(Self::new(route, spec, public).map_err(below)?);
        }
        Ok(limits.into())
    }

    fn new(route: &str, spec: &GuardLimit, public: bool) -> Result<Self, Invalid> {
        if public && matches!(spec.per, LimitPer::Key | LimitPer::Consumer) {
            let fix = "Say whose requests count together: `all`, or `address` for those of each network.";
            return Err(Invalid::new("/per", "Who calls a public route has no key.", fix));
        }
        let GuardLimit { name, limit, window, burst, per } = spec;
        let rate = LimitSpec { name: name.clone(), limit: *limit, window: window.clone(), burst: *burst };
        let rates = Box::new([RateRule::compile(&rate)?]);
        let whole = digest(&SHA256, format!("{per:?}\0{name}\0{route}").as_bytes());
        let id = whole.as_ref().first_chunk().copied().unwrap_or_default();
        Ok(Self { per: *per, rules: MeterRules { rates, ..MeterRules::default() }, id })
    }

    /// Its rate limit.
    #[must_use]
    pub fn rate(&self) -> Option<&RateRule> {
        self.rules.rates.first()
    }

    /// Its id: the same as long as it keeps its route, its name and whom it counts together.
    #[must_use]
    pub const fn id(&self) -> [u8; 16] {
        self.id
    }

    /// Whose limit refuses. Whoever has many addresses could have each of them written to the store's accounts, so
    /// each process counts those by itself.
    const fn of(&self, index: u8) -> Of {
        match self.per {
            LimitPer::Address => Of::RouteHere(index),
            LimitPer::Key | LimitPer::Consumer | LimitPer::All => Of::Route(index),
        }
    }
}

/// The limits that a request meets at its route.
#[derive(Debug, Clone, Copy)]
pub struct AtRoute<'a> {
    /// The limits.
    pub limits: &'a [RouteLimit],
    /// Where they are counted.
    pub cells: &'a Arc<RouteCells>,
    /// In which environment.
    pub environment: EnvironmentId,
}

impl AtRoute<'_> {
    /// Takes `ask.cost` of the limits of the route and of these meters, or of none. `spender` is the key whose lineage
    /// pays; none has a key on a public route.
    ///
    /// # Errors
    /// With the first check that refuses.
    pub(crate) fn take(
        &self,
        spender: Option<&Entry>,
        others: [Option<Metered<'_>>; 3],
        ask: &Ask<'_>,
        now: Micros,
    ) -> Result<Option<LeaseNeed>, Refusal> {
        let ids = from_fn(|at| self.limits.get(at).map(|limit| self.id(limit, spender, ask)));
        self.cells.with_all(ids, now, |meters| {
            let mut counted = [None; ROUTE_LIMITS_MAX];
            for ((index, limit), (slot, meter)) in (0..).zip(self.limits).zip(counted.iter_mut().zip(meters))
            {
                // It is there, it was just put there. Were it not, nothing would pass.
                let missing = RateState { remaining: 0, wait_ns: 1_000_000_000 };
                let of = limit.of(index);
                let meter = meter.ok_or(Refusal::Rate { of, index: 0, state: missing })?;
                *slot = Some(Metered { of, rules: &limit.rules, meter });
            }
            take_on_route(others, counted, ask.cost, now, ask.sharing)
        })
    }

    /// Where each limit stands for a request, taking nothing.
    pub fn states(
        &self,
        spender: Option<&Entry>,
        ask: &Ask<'_>,
        now: Micros,
    ) -> impl Iterator<Item = (&RateRule, RateState)> {
        self.limits.iter().filter_map(move |limit| {
            let state = |meter: &Meter| meter.rate_state(&limit.rules, 0, ask.cost, now);
            let state =
                self.cells.look(self.id(limit, spender, ask), state).or_else(|| state(&Meter::default()));
            Some((limit.rate()?, state?))
        })
    }

    /// A limit and its meter for a request, by its index.
    #[must_use]
    pub fn meter(
        &self,
        index: u8,
        spender: Option<&Entry>,
        ask: &Ask<'_>,
    ) -> Option<(RouteMeterId, &RouteLimit)> {
        let limit = self.limits.get(usize::from(index))?;
        Some((self.cells.counted_as(self.id(limit, spender, ask)), limit))
    }

    fn id(&self, limit: &RouteLimit, spender: Option<&Entry>, ask: &Ask<'_>) -> RouteMeterId {
        let lineage = || spender.map_or(Whom::All, |entry| Whom::Lineage(entry.lineage.id));
        let whom = match limit.per {
            LimitPer::All => Whom::All,
            LimitPer::Key => lineage(),
            LimitPer::Consumer => {
                let consumer = spender.and_then(|entry| entry.consumer.as_ref()?.consumer_id());
                consumer.map_or_else(lineage, Whom::Consumer)
            }
            LimitPer::Address => Whom::Address(ask.ip),
        };
        RouteMeterId::new(limit.id, self.environment, whom)
    }
}
