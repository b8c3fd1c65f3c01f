//! Verdicts that are used again for some seconds, where that was asked for.

use crate::Error;
use aws_lc_rs::hmac;
use getrandom::SysRng;
use getrandom::rand_core::TryRng;
use keystead_api::Verification;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

const AGE_MAX: Duration = Duration::from_secs(10);
const ENTRIES_MAX: usize = 1_000_000;

/// A time of a clock that never steps, since whenever it began, and of the clock on the wall.
pub(super) type Instant = (Duration, SystemTime);
pub(super) type Clock = Arc<dyn Fn() -> Instant + Send + Sync>;
type Digest = [u8; 32];

/// The machine's.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the clock; all else is passed it")]
pub(super) fn system_clock() -> Clock {
    let start = std::time::Instant::now();
    Arc::new(move || (start.elapsed(), SystemTime::now()))
}

/// Holds verdicts that let pass and that count nothing; a digest leads to each, never the key.
pub(super) struct Cache {
    age: Duration,
    entries_max: usize,
    clock: Clock,
    digest_key: hmac::Key,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    entries: HashMap<Digest, Entry>,
    /// The oldest first.
    order: BTreeMap<u64, Digest>,
    next: u64,
}

struct Entry {
    number: u64,
    asked: Instant,
    said: Arc<Verification>,
}

impl Cache {
    pub(super) fn new(age: Duration, entries_max: usize, clock: Clock) -> Result<Self, Error> {
        if age.is_zero() || age > AGE_MAX {
            let what = "A cache's age is more than 0 and at most 10 s: so long a revoked key can pass.";
            return Err(Error::invalid(what, "Leave it out, or name less."));
        }
        if !(1..=ENTRIES_MAX).contains(&entries_max) {
            return Err(Error::invalid("A cache has 1 to 1,000,000 entries.", "Name a number between."));
        }
        let mut key = [0; 32];
        SysRng.try_fill_bytes(&mut key).map_err(|_| {
            Error::invalid("The system has no random numbers for the cache.", "Leave the cache out.")
        })?;
        let digest_key = hmac::Key::new(hmac::HMAC_SHA256, &key);
        Ok(Self { age, entries_max, clock, digest_key, kept: Mutex::default() })
    }

    pub(super) fn now(&self) -> Instant {
        (self.clock)()
    }

    /// What a question is found by.
    pub(super) fn digest(&self, question: &[u8]) -> Digest {
        let mut digest = [0; 32];
        let tag = hmac::sign(&self.digest_key, question);
        digest.iter_mut().zip(tag.as_ref()).for_each(|(to, from)| *to = *from);
        digest
    }

    /// The verdict, if it is young enough.
    pub(super) fn get(&self, at: &Digest) -> Option<Arc<Verification>> {
        let mut kept = self.kept();
        let entry = kept.entries.get(at)?;
        if self.is_young(entry.asked) {
            return Some(Arc::clone(&entry.said));
        }
        kept.remove(at);
        None
    }

    /// Stale if either clock says so: the one stands still in a machine that is paused, the other is set.
    fn is_young(&self, asked: Instant) -> bool {
        let (steady, wall) = self.now();
        let steadily = steady.checked_sub(asked.0).is_some_and(|age| age < self.age);
        steadily && wall.duration_since(asked.1).is_ok_and(|age| age < self.age)
    }

    /// Keeps a verdict that lets pass, unless each request has to be counted. Its age counts from before it was asked,
    /// or it would be more than the bound.
    pub(super) fn keep(&self, at: Digest, said: &Arc<Verification>, asked: Instant) {
        if !said.valid || is_counted(said) {
            return;
        }
        let mut kept = self.kept();
        kept.remove(&at);
        while kept.entries.len() >= self.entries_max {
            let Some((_, oldest)) = kept.order.pop_first() else { break };
            kept.entries.remove(&oldest);
        }
        let number = kept.next;
        kept.next += 1;
        kept.order.insert(number, at);
        kept.entries.insert(at, Entry { number, asked, said: Arc::clone(said) });
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn remove(&mut self, at: &Digest) {
        if let Some(entry) = self.entries.remove(at) {
            self.order.remove(&entry.number);
        }
    }
}

/// Whether each request takes something of a limit, quota, credits or uses.
fn is_counted(said: &Verification) -> bool {
    !said.limits.is_empty()
        || !said.quotas.is_empty()
        || said.credits.is_some()
        || said.uses_remaining.is_some()
}
