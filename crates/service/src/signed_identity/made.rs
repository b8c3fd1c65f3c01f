//! What was signed a moment ago: a signature costs more than all the rest of an answer, so each thing that is said is
//! signed once and handed out for half a minute.

use http::HeaderValue;
use keystead_domain::time::{Micros, SECOND};
use parking_lot::Mutex;
use std::collections::HashMap;

/// How long a token is handed out.
pub(super) const KEPT: i64 = 30 * SECOND;
/// Each guards a part of the tokens, so that requests rarely wait for each other.
const SHARDS: usize = 16;
/// Tokens of one generation of a shard: with two generations 65,536 in all.
const TOKENS_MAX: usize = 2_048;
/// Their bytes: with two generations 32 MiB in all.
const BYTES_MAX: usize = 1 << 20;

/// By the fingerprint of what they say, and by whom.
type Tokens = HashMap<[u8; 32], (Micros, HeaderValue)>;

/// Tokens that were made, in two generations: the older one goes as a whole, so that nothing is searched for what is
/// over.
#[derive(Debug, Default)]
pub(super) struct Made {
    shards: [Mutex<Shard>; SHARDS],
}

#[derive(Debug, Default)]
struct Shard {
    began: Option<Micros>,
    bytes: usize,
    young: Tokens,
    old: Tokens,
}

impl Made {
    fn shard(&self, fingerprint: &[u8; 32]) -> Option<&Mutex<Shard>> {
        let [first, ..] = fingerprint;
        self.shards.get(usize::from(*first) % SHARDS)
    }

    /// One that was made less than [`KEPT`] ago.
    pub(super) fn get(&self, fingerprint: &[u8; 32], now: Micros) -> Option<HeaderValue> {
        let shard = self.shard(fingerprint)?.lock();
        let (at, token) = shard.young.get(fingerprint).or_else(|| shard.old.get(fingerprint))?;
        // Made later than now is what a clock that has stepped back made.
        (*at <= now && now < at.plus(KEPT)).then(|| token.clone())
    }

    /// Keeps one that was made now.
    pub(super) fn put(&self, fingerprint: [u8; 32], token: HeaderValue, now: Micros) {
        let Some(shard) = self.shard(&fingerprint) else { return };
        let mut shard = shard.lock();
        let is_young = shard.began.is_some_and(|began| began <= now && now < began.plus(KEPT));
        let has_room = shard.young.len() < TOKENS_MAX && shard.bytes + token.len() <= BYTES_MAX;
        let mut gone = Tokens::new();
        if !is_young || !has_room {
            let young = std::mem::take(&mut shard.young);
            gone = std::mem::replace(&mut shard.old, young);
            (shard.began, shard.bytes) = (Some(now), 0);
        }
        shard.bytes += token.len();
        shard.young.insert(fingerprint, (now, token));
        drop(shard);
        // Freed where nobody waits for it.
        drop(gone);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Micros = Micros(1_800_000_000_000_000);

    fn fingerprint(n: u32) -> [u8; 32] {
        keystead_domain::identity::fingerprint(&n.to_be_bytes())
    }

    #[test]
    fn a_token_is_handed_out_for_half_a_minute_whatever_the_clock_does() {
        let (made, token) = (Made::default(), HeaderValue::from_static("token"));
        made.put(fingerprint(1), token.clone(), NOW);
        assert_eq!(made.get(&fingerprint(1), NOW.plus(KEPT - 1)), Some(token));
        assert_eq!(made.get(&fingerprint(1), NOW.plus(KEPT)), None);
        assert_eq!(made.get(&fingerprint(1), NOW.plus(-1)), None, "the clock has stepped back");
        assert_eq!(made.get(&fingerprint(2), NOW), None);
    }

    #[test]
    fn tokens_are_bounded_in_number_and_bytes() {
        let held = |made: &Made| {
            let shards = made.shards.iter().map(Mutex::lock);
            shards.fold((0, 0), |(count, bytes), shard| {
                let tokens = || shard.young.values().chain(shard.old.values());
                (count + tokens().count(), bytes + tokens().map(|(_, token)| token.len()).sum::<usize>())
            })
        };
        let made = Made::default();
        for n in 0..100_000 {
            made.put(fingerprint(n), HeaderValue::from_static("short"), NOW);
        }
        let (count, _) = held(&made);
        assert!((32_768..=65_536).contains(&count), "{count}");
        let (made, long) = (Made::default(), HeaderValue::from_bytes(&[b'a'; 8_000]).unwrap());
        for n in 0..10_000 {
            made.put(fingerprint(n), long.clone(), NOW);
        }
        let (_, bytes) = held(&made);
        assert!((16 << 20..=32 << 20).contains(&(bytes + 16 * 8_000)), "{bytes}");
        for n in 0..64 {
            made.put(fingerprint(n), long.clone(), NOW.plus(KEPT));
            made.put(fingerprint(n), long.clone(), NOW.plus(2 * KEPT));
        }
        assert!(held(&made).0 <= 128, "what is over goes");
    }
}
