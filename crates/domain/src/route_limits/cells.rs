//! The counters of the limits of a guard's routes: made when they are first needed, dropped when they say nothing any
//! more, and never more than a bound. Where there is no room, newcomers are counted together.

use super::ROUTE_LIMITS_MAX;
use super::id::{RouteMeterId, Whom};
use crate::meter::Meter;
use crate::time::{Micros, SECOND};
use parking_lot::{Mutex, MutexGuard};
use std::array::from_fn;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

/// The most counters of one guard by keys, consumers and all.
const KEYED_MAX: usize = 1 << 20;
/// The most by addresses, of which strangers have many. Apart: they take no room from keys.
const ADDRESSES_MAX: usize = 1 << 16;
/// Parts with a lock each: first those by keys, then those by addresses.
const PARTS: u8 = 16;
/// Fewer than these are not looked through.
const SWEPT_MIN: usize = 64;
/// A part without room is looked through no more often.
const SWEEP_AGAIN_MICROS: u64 = SECOND.unsigned_abs();

/// The counters of one guard.
#[derive(Debug)]
pub struct RouteCells {
    parts: Box<[Mutex<Part>]>,
    /// Seeded by the process: nobody chooses who shares a part.
    hasher: RandomState,
    /// The most counters of a part by keys, and of one by addresses.
    most: [usize; 2],
}

#[derive(Debug, Default)]
struct Part {
    meters: HashMap<RouteMeterId, Meter>,
    sweep_at: usize,
    swept: Option<Micros>,
}

impl Default for RouteCells {
    fn default() -> Self {
        Self::with_room(KEYED_MAX, ADDRESSES_MAX)
    }
}

/// A part that is locked, and which it is.
type Locked<'a> = Option<(usize, MutexGuard<'a, Part>)>;

impl RouteCells {
    pub(super) fn with_room(keyed: usize, addresses: usize) -> Self {
        let parts = (0..2 * PARTS).map(|_| Mutex::default()).collect();
        let most = [keyed, addresses].map(|most| most / usize::from(PARTS));
        Self { parts, hasher: RandomState::new(), most }
    }

    /// Calls `then` with these counters, made where there are none; nobody else takes of them meanwhile. The parts are
    /// locked in order: two requests cannot wait in a ring.
    pub(super) fn with_all<T>(
        &self,
        mut ids: [Option<RouteMeterId>; ROUTE_LIMITS_MAX],
        now: Micros,
        then: impl FnOnce([Option<&Meter>; ROUTE_LIMITS_MAX]) -> T,
    ) -> T {
        let at = ids.map(|id| id.map(|id| self.part_of(&id)));
        let mut order = at;
        order.sort_unstable();
        let mut held: [Locked<'_>; ROUTE_LIMITS_MAX] = from_fn(|_| None);
        let mut slots = held.iter_mut();
        let mut last = None;
        for index in order.into_iter().flatten() {
            if last != Some(index)
                && let (Some(part), Some(slot)) = (self.parts.get(index), slots.next())
            {
                let mut part = part.lock();
                // Before any counter is made: one from which nothing was taken says nothing, and would go.
                part.make_room(self.most_of(index), now);
                *slot = Some((index, part));
                last = Some(index);
            }
        }
        for (id, at) in ids.iter_mut().zip(at) {
            if let (Some(id), Some(at)) = (id, at)
                && let Some((_, part)) = held.iter_mut().flatten().find(|(index, _)| *index == at)
            {
                *id = part.admit(*id, at, self.most_of(at));
            }
        }
        then(from_fn(|index| {
            let (id, at) = (ids.get(index)?.as_ref()?, at.get(index).copied()??);
            let (_, part) = held.iter().flatten().find(|(index, _)| *index == at)?;
            part.meters.get(id)
        }))
    }

    /// Looks at a counter, where there is one.
    pub(super) fn look<T>(&self, id: RouteMeterId, then: impl FnOnce(&Meter) -> Option<T>) -> Option<T> {
        let at = self.part_of(&id);
        let part = self.parts.get(at)?.lock();
        part.meters.get(&part.counted_as(id, at, self.most_of(at))).and_then(then)
    }

    /// Calls `then` with a counter, made where there is none: what is leased for it must find it.
    pub fn with<T>(&self, id: RouteMeterId, then: impl FnOnce(&Meter) -> T) -> Option<T> {
        Some(then(self.parts.get(self.part_of(&id))?.lock().meters.entry(id).or_default()))
    }

    /// The counter by which this one is counted: itself, or that of all for whom there is no room.
    pub(super) fn counted_as(&self, id: RouteMeterId) -> RouteMeterId {
        let at = self.part_of(&id);
        self.parts.get(at).map_or(id, |part| part.lock().counted_as(id, at, self.most_of(at)))
    }

    /// Calls `visit` with every counter that several nodes may count.
    pub fn each(&self, mut visit: impl FnMut(RouteMeterId, &Meter)) {
        for part in self.parts.iter().take(usize::from(PARTS)) {
            part.lock().meters.iter().for_each(|(id, meter)| visit(*id, meter));
        }
    }

    /// Drops every counter that says nothing any more.
    pub fn sweep(&self, now: Micros) {
        for part in &self.parts {
            part.lock().sweep(now);
        }
    }

    /// How many counters there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.parts.iter().map(|part| part.lock().meters.len()).sum()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn part_of(&self, id: &RouteMeterId) -> usize {
        if let Some(part) = id.rest() {
            return usize::from(part);
        }
        let part = self.hasher.hash_one(id).to_be_bytes()[0] % PARTS;
        usize::from(if id.is_address() { PARTS + part } else { part })
    }

    const fn most_of(&self, part: usize) -> usize {
        let [keyed, addresses] = self.most;
        if part < PARTS as usize { keyed } else { addresses }
    }
}

fn rest_of(id: RouteMeterId, part: usize) -> RouteMeterId {
    RouteMeterId::new(id.limit(), id.environment(), Whom::Rest(u8::try_from(part).unwrap_or_default()))
}

impl Part {
    fn counted_as(&self, id: RouteMeterId, at: usize, most: usize) -> RouteMeterId {
        let has_room = self.meters.len() < most || self.meters.contains_key(&id);
        if has_room { id } else { rest_of(id, at) }
    }

    /// Makes a counter where there is none; answers which one counts.
    fn admit(&mut self, id: RouteMeterId, at: usize, most: usize) -> RouteMeterId {
        let id = self.counted_as(id, at, most);
        self.meters.entry(id).or_default();
        id
    }

    /// Drops what says nothing any more when the part has doubled, or is full. A full one is not looked through for
    /// each newcomer.
    fn make_room(&mut self, most: usize, now: Micros) {
        let since = self.swept.map_or(u64::MAX, |swept| now.since(swept).unsigned_abs());
        let is_due = match self.meters.len() {
            count if count >= most => since >= SWEEP_AGAIN_MICROS,
            count => count >= self.sweep_at.max(SWEPT_MIN),
        };
        if is_due {
            self.sweep(now);
        }
    }

    fn sweep(&mut self, now: Micros) {
        self.meters.retain(|_, meter| !meter.first().is_over(now));
        self.meters.shrink_to(self.meters.len() * 2);
        self.sweep_at = self.meters.len() * 2;
        self.swept = Some(now);
    }
}
