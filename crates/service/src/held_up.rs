//! Verdicts of threads that were held up between their look at the clock and their decision.

use crate::Keystead;
use keystead_api::Code;
use keystead_domain::decide::{Ask, Decision, Verdict, decide, decide_open};
use keystead_domain::entry::Entry;
use keystead_domain::time::Micros;

/// The decision on a request with a key, or on one to a route that anybody may call.
pub(crate) fn decided(entry: Option<&Entry>, ask: &Ask<'_>, now: Micros) -> Decision {
    entry.map_or_else(|| decide_open(ask, now), |entry| decide(entry, ask, now))
}

impl Keystead {
    /// The decision, and when it was made. A rate limit measures from the latest request that it has
    /// seen: to one whose thread was held up since it looked at the clock (a busy machine, a wait for
    /// a block of credits) all that came meanwhile looks like a debt of the future. Only refusals
    /// look twice, and a refusal has taken nothing.
    pub(crate) fn unless_held_up(
        &self,
        decision: Decision,
        entry: Option<&Entry>,
        ask: &Ask<'_>,
        now: Micros,
    ) -> (Decision, Micros) {
        if let Decision::Made(Verdict { code: Code::RateLimited, retry_after_ns: Some(wait), .. }) = decision
        {
            let later = self.clock.now();
            // Before the wait is over it is refused at either time.
            if u64::try_from(later.since(now)).is_ok_and(|micros| micros.saturating_mul(1_000) >= wait) {
                return (decided(entry, ask, later), later);
            }
        }
        (decision, now)
    }
}
