//! A shard's entries by hash. With a million keys nothing of them is in the processor's caches, and a
//! look-up costs what it waits for memory: so there is one byte a key beside the entries, which a
//! cache holds, and nothing between that byte and the entry (docs/PERFORMANCE.md).

use prefetch_index::prefetch_index;

/// Places that a key may take without going to the next line.
const LANES: usize = 15;
/// Places of a line that are filled on average before the table grows.
const FILL: usize = 14;

/// What stands in fifteen places: a byte of each hash, 0 where nothing stands.
#[derive(Debug, Clone, Copy, Default)]
struct Line {
    tags: [u8; LANES],
    /// How many of those who would stand here, or before, stand further on. At 255 it stays.
    passed_by: u8,
}

/// Things by hash: open addressing by lines.
#[derive(Debug)]
pub(super) struct Table<T> {
    lines: Vec<Line>,
    places: Vec<Option<T>>,
    len: usize,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { lines: Vec::new(), places: Vec::new(), len: 0 }
    }
}

impl<T> Table<T> {
    /// The one with this hash that `is` it.
    #[inline]
    pub(super) fn find(&self, hash: u64, is: impl Fn(&T) -> bool) -> Option<&T> {
        self.places.get(self.place_of(hash, is)?)?.as_ref()
    }

    /// Asks for the memory of the one with this hash, where it nearly always is, without waiting.
    #[inline]
    pub(super) fn fetch_ahead(&self, hash: u64) {
        let (tag, at) = (tag_of(hash), self.home(hash));
        if let Some(line) = self.lines.get(at)
            && let Some(lane) = line.tags.iter().position(|found| *found == tag)
        {
            let place = at * LANES + lane;
            prefetch_index(&self.places, place);
            // Where it ends.
            prefetch_index(&self.places, place + 1);
        }
    }

    /// The one with this hash that `is` it, to be changed; its hash must stay.
    pub(super) fn find_mut(&mut self, hash: u64, is: impl Fn(&T) -> bool) -> Option<&mut T> {
        let place = self.place_of(hash, is)?;
        self.places.get_mut(place)?.as_mut()
    }

    /// Adds one that is not there; `hash_of` gives the hashes of those that are.
    pub(super) fn insert(&mut self, hash: u64, thing: T, hash_of: impl Fn(&T) -> u64) {
        if self.len >= self.lines.len() * FILL {
            // By a sixteenth, not by doubling: memory a key is bounded.
            self.reserve(self.len / 16 + FILL, hash_of);
        }
        self.add(hash, thing);
    }

    /// Makes room for `more`.
    pub(super) fn reserve(&mut self, more: usize, hash_of: impl Fn(&T) -> u64) {
        let count = (self.len + more).div_ceil(FILL);
        let mut places = Vec::new();
        places.reserve_exact(count * LANES);
        places.resize_with(count * LANES, || None);
        self.lines = vec![Line::default(); count];
        self.len = 0;
        for thing in std::mem::replace(&mut self.places, places).into_iter().flatten() {
            self.add(hash_of(&thing), thing);
        }
    }

    /// Takes one out.
    pub(super) fn remove(&mut self, hash: u64, is: impl Fn(&T) -> bool) -> Option<T> {
        let place = self.place_of(hash, is)?;
        let thing = self.places.get_mut(place)?.take();
        let (home, count, at) = (self.home(hash), self.lines.len(), place / LANES);
        for step in 0..(at + count - home) % count {
            if let Some(line) = self.lines.get_mut((home + step) % count)
                && line.passed_by < u8::MAX
            {
                line.passed_by -= 1;
            }
        }
        *self.lines.get_mut(at)?.tags.get_mut(place % LANES)? = 0;
        self.len -= 1;
        thing
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.places.iter().flatten()
    }

    #[inline]
    fn place_of(&self, hash: u64, is: impl Fn(&T) -> bool) -> Option<usize> {
        let (tag, mut at) = (tag_of(hash), self.home(hash));
        for _ in 0..self.lines.len() {
            let line = self.lines.get(at)?;
            for (lane, _) in line.tags.iter().enumerate().filter(|(_, found)| **found == tag) {
                let place = at * LANES + lane;
                if self.places.get(place).and_then(Option::as_ref).is_some_and(&is) {
                    return Some(place);
                }
            }
            if line.passed_by == 0 {
                return None;
            }
            at = if at + 1 == self.lines.len() { 0 } else { at + 1 };
        }
        None
    }

    fn add(&mut self, hash: u64, thing: T) {
        let (home, count) = (self.home(hash), self.lines.len());
        for at in (home..count).chain(0..home) {
            let Some(line) = self.lines.get_mut(at) else {
                return;
            };
            let Some(lane) = line.tags.iter().position(|tag| *tag == 0) else {
                line.passed_by = line.passed_by.saturating_add(1);
                continue;
            };
            if let (Some(tag), Some(place)) =
                (line.tags.get_mut(lane), self.places.get_mut(at * LANES + lane))
            {
                (*tag, *place) = (tag_of(hash), Some(thing));
                self.len += 1;
            }
            return;
        }
    }

    /// The line of a hash: its low half, spread evenly over however many lines there are.
    fn home(&self, hash: u64) -> usize {
        let low = hash & u64::from(u32::MAX);
        usize::try_from((low * self.lines.len() as u64) >> 32).unwrap_or_default()
    }
}

/// By the highest byte, which neither shard nor line is chosen by; never 0.
const fn tag_of(hash: u64) -> u8 {
    let [tag, ..] = hash.to_be_bytes();
    if tag == 0 { 1 } else { tag }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    /// A bad hash on purpose: many share a line, many share all of it.
    fn hash(number: &u32) -> u64 {
        (u64::from(number % 7) << 61) | u64::from((number % 5) << 30)
    }

    proptest! {
        #[test]
        fn it_finds_exactly_what_was_put_in_and_not_taken_out(
            acts in prop::collection::vec((any::<bool>(), 0_u32..80), 0..400)
        ) {
            let (mut table, mut model) = (Table::default(), HashSet::new());
            for (puts, number) in acts {
                if !puts {
                    let taken = table.remove(hash(&number), |found| *found == number);
                    prop_assert_eq!(taken, model.take(&number));
                } else if model.insert(number) {
                    table.insert(hash(&number), number, hash);
                }
                prop_assert_eq!(table.len(), model.len());
                prop_assert_eq!(table.iter().copied().collect::<HashSet<_>>(), model.clone());
                for number in 0..80 {
                    let found = table.find(hash(&number), |found| *found == number);
                    prop_assert_eq!(found, model.get(&number));
                }
            }
        }
    }

    /// The count of those who passed stays at its end rather than being wrong.
    #[test]
    fn more_than_a_byte_counts_may_pass_a_line() {
        let mut table = Table::default();
        for number in 0..600_u32 {
            table.insert(0, number, |_| 0);
        }
        for number in (0..600).rev() {
            assert_eq!(table.remove(0, |found| *found == number), Some(number));
            for left in 0..number {
                assert!(table.find(0, |found| *found == left).is_some(), "{left} of {number}");
            }
        }
    }
}
