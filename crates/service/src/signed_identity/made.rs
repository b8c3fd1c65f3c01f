//! What was signed a moment ago: a signature costs more than all the rest of an answer, so each thing that is said is
//! signed once and handed out for half a minute.

use super::token::{Of, Signed};
use http::HeaderValue;
use keystead_domain::ids::KeyId;
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

/// The last one of each key.
type Tokens = HashMap<KeyId, Signed>;

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
    fn shard(&self, key: KeyId) -> Option<&Mutex<Shard>> {
        // Ids are random.
        let [.., last] = *key.as_bytes();
        self.shards.get(usize::from(last) % SHARDS)
    }

    /// One of this key that was made less than [`KEPT`] ago and says the same.
    pub(super) fn get(&self, key: KeyId, of: &Of, now: Micros) -> Option<HeaderValue> {
        let shard = self.shard(key)?.lock();
        let signed = shard.young.get(&key).or_else(|| shard.old.get(&key))?;
        // Made later than now is what a clock that has stepped back made.
        let is_handed_out = signed.at <= now && now < signed.at.plus(KEPT);
        (is_handed_out && signed.of == *of).then(|| signed.token.clone())
    }

    /// Keeps one that was made now.
    pub(super) fn put(&self, key: KeyId, signed: Signed) {
        let Some(shard) = self.shard(key) else { return };
        let (now, bytes) = (signed.at, signed.token.len());
        let mut shard = shard.lock();
        let is_young = shard.began.is_some_and(|began| began <= now && now < began.plus(KEPT));
        let has_room = shard.young.len() < TOKENS_MAX && shard.bytes + bytes <= BYTES_MAX;
        let mut gone = Tokens::new();
        if !is_young || !has_room {
            let young = std::mem::take(&mut shard.young);
            gone = std::mem::replace(&mut shard.old, young);
            (shard.began, shard.bytes) = (Some(now), 0);
        }
        shard.bytes += bytes;
        shard.young.insert(key, signed);
        drop(shard);
        // Freed where nobody waits for it.
        drop(gone);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use keystead_domain::ids::{EnvironmentId, SigningKeyId};
    use std::sync::Arc;

    const NOW: Micros = Micros(1_800_000_000_000_000);

    fn of() -> Of {
        let (environment, signer) = (EnvironmentId([1; 16]), SigningKeyId([1; 16]));
        Of { told: [1; 32], environment, audience: Some("a".into()), signer, ends: None }
    }

    fn key(n: u32) -> KeyId {
        KeyId::from_slice(format!("{n:012}").as_bytes()).unwrap()
    }

    fn signed(of: &Of, token: &HeaderValue, at: Micros) -> Signed {
        Signed { of: of.clone(), at, token: token.clone() }
    }

    #[test]
    fn a_token_is_handed_out_for_half_a_minute_whatever_the_clock_does() {
        let (made, of, token) = (Made::default(), of(), HeaderValue::from_static("token"));
        made.put(key(1), signed(&of, &token, NOW));
        assert_eq!(made.get(key(1), &of, NOW.plus(KEPT - 1)), Some(token));
        assert_eq!(made.get(key(1), &of, NOW.plus(KEPT)), None);
        assert_eq!(made.get(key(1), &of, NOW.plus(-1)), None, "the clock has stepped back");
        assert_eq!(made.get(key(2), &of, NOW), None);
    }

    #[test]
    fn a_token_that_says_anything_else_is_another() {
        let (made, of) = (Made::default(), of());
        made.put(key(1), signed(&of, &HeaderValue::from_static("token"), NOW));
        for other in [
            Of { told: [2; 32], ..of.clone() },
            Of { environment: EnvironmentId([2; 16]), ..of.clone() },
            Of { audience: Some("b".into()), ..of.clone() },
            Of { audience: None, ..of.clone() },
            Of { signer: SigningKeyId([2; 16]), ..of.clone() },
            Of { ends: Some(NOW.plus(KEPT)), ..of.clone() },
        ] {
            assert_eq!(made.get(key(1), &other, NOW), None);
        }
        let again = Of { audience: Some(Arc::from("a")), ..of };
        assert!(made.get(key(1), &again, NOW).is_some(), "made anew, it says the same");
    }

    #[test]
    fn tokens_are_bounded_in_number_and_bytes() {
        let held = |made: &Made| {
            let shards = made.shards.iter().map(Mutex::lock);
            shards.fold((0, 0), |(count, bytes), shard| {
                let tokens = || shard.young.values().chain(shard.old.values());
                (count + tokens().count(), bytes + tokens().map(|signed| signed.token.len()).sum::<usize>())
            })
        };
        let (made, of, short) = (Made::default(), of(), HeaderValue::from_static("short"));
        for n in 0..100_000 {
            made.put(key(n), signed(&of, &short, NOW));
        }
        let (count, _) = held(&made);
        assert!((20_480..=65_536).contains(&count), "{count}");
        let (made, long) = (Made::default(), HeaderValue::from_bytes(&[b'a'; 8_000]).unwrap());
        for n in 0..10_000 {
            made.put(key(n), signed(&of, &long, NOW));
        }
        let (_, bytes) = held(&made);
        assert!((10 << 20..=32 << 20).contains(&(bytes + 16 * 8_000)), "{bytes}");
        for n in 0..64 {
            made.put(key(n), signed(&of, &long, NOW.plus(KEPT)));
            made.put(key(n), signed(&of, &long, NOW.plus(2 * KEPT)));
        }
        assert!(held(&made).0 <= 128, "what is over goes");
    }
}
