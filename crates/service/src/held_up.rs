//! Verdicts of threads that were held up between their look at the clock and their decision.

use crate::Keystead;
use keystead_api::Code;
use keystead_domain::decide::{Ask, Decision, decide};
use keystead_domain::entry::Entry;
use keystead_domain::time::Micros;

/// Held up for so long, a thread looks at the clock again before it refuses.
const HELD_UP_MICROS: i64 = 100_000;

impl Keystead {
    /// The decision, and when it was made. A rate limit measures from the latest request that it has
    /// seen: to one whose thread was held up since it looked at the clock (a busy machine, a wait for
    /// a block of credits) all that came meanwhile looks like a debt of the future. Only refusals
    /// look twice, and a refusal has taken nothing.
    pub(crate) fn unless_held_up(
        &self,
        decision: Decision,
        entry: &Entry,
        ask: &Ask<'_>,
        now: Micros,
    ) -> (Decision, Micros) {
        if let Decision::Made(verdict) = &decision
            && verdict.code == Code::RateLimited
        {
            let later = self.clock.now();
            if later.since(now) >= HELD_UP_MICROS {
                return (decide(entry, ask, later), later);
            }
        }
        (decision, now)
    }
}
