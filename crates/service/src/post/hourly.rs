//! How much mail leaves within an hour: it goes out in the operator's name, to addresses that nobody has proved.

use keystead_domain::ids::OrganizationId;
use keystead_domain::time::{Micros, SECOND};
use parking_lot::Mutex;
use std::collections::HashMap;

/// Test messages of a node in an hour.
const TESTS_MAX: u32 = 10;
const HOUR_MICROS: i64 = 3_600 * SECOND;

/// What was sent since an hour began.
#[derive(Debug, Clone, Copy)]
struct Hour {
    begun: Micros,
    count: u32,
}

impl Hour {
    /// The one that goes on, or a new one. A clock that stepped back begins one as well.
    fn at(self, now: Micros) -> Self {
        if self.goes_on(now) { self } else { Self { begun: now, count: 0 } }
    }

    fn goes_on(self, now: Micros) -> bool {
        (0..HOUR_MICROS).contains(&now.since(self.begun))
    }
}

/// What was sent within the hour.
#[derive(Debug)]
pub(crate) struct Hourly {
    /// Letters of one organization.
    letters_max: u32,
    tests: Mutex<Option<Hour>>,
    letters: Mutex<HashMap<OrganizationId, Hour>>,
}

impl Hourly {
    pub(crate) fn new(letters_max: u32) -> Self {
        Self { letters_max, tests: Mutex::default(), letters: Mutex::default() }
    }

    /// Takes a test message; the seconds until there is another when there is none.
    pub(crate) fn take_test(&self, now: Micros) -> Result<(), u64> {
        let mut known = self.tests.lock();
        let hour = known.unwrap_or(Hour { begun: now, count: 0 }).at(now);
        if hour.count >= TESTS_MAX {
            let left = HOUR_MICROS - now.since(hour.begun);
            return Err(u64::try_from(left / SECOND).unwrap_or(0).max(1));
        }
        *known = Some(Hour { count: hour.count + 1, ..hour });
        Ok(())
    }

    /// Whether an organization may be sent another letter for.
    pub(crate) fn may_send(&self, organization: OrganizationId, now: Micros) -> bool {
        let letters = self.letters.lock();
        letters.get(&organization).is_none_or(|hour| hour.at(now).count < self.letters_max)
    }

    /// Counts a letter of an organization.
    pub(crate) fn count(&self, organization: OrganizationId, now: Micros) {
        let mut letters = self.letters.lock();
        letters.retain(|_, hour| hour.goes_on(now));
        letters.entry(organization).or_insert(Hour { begun: now, count: 0 }).count += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_organization_has_its_letters_in_an_hour_and_takes_none_of_anothers() {
        let (one, other) = (OrganizationId([1; 16]), OrganizationId([2; 16]));
        let (hourly, begun) = (Hourly::new(3), Micros(7));
        for _ in 0..3 {
            assert!(hourly.may_send(one, begun));
            hourly.count(one, begun);
        }
        let last = begun.plus(HOUR_MICROS - 1);
        assert!(!hourly.may_send(one, last) && hourly.may_send(other, last));
        let next = begun.plus(HOUR_MICROS);
        assert!(
            hourly.may_send(one, next) && hourly.may_send(one, begun.plus(-1)),
            "a clock that stepped back"
        );
        hourly.count(other, next);
        assert_eq!(hourly.letters.lock().len(), 1, "what is over is forgotten");
    }
}
