//! How many test messages may be sent: a test is no way of sending mail to strangers.

use keystead_domain::time::{Micros, SECOND};
use parking_lot::Mutex;

/// Test messages of one node in an hour.
const TESTS_MAX: u32 = 10;
const HOUR_MICROS: i64 = 3_600 * SECOND;

/// When the hour began, and the tests since.
#[derive(Debug, Default)]
pub(crate) struct TestsLeft(Mutex<Option<(Micros, u32)>>);

impl TestsLeft {
    /// Takes one; the seconds until there is another when there is none.
    pub(crate) fn take(&self, now: Micros) -> Result<(), u64> {
        let mut hour = self.0.lock();
        let (begun, count) = hour.unwrap_or((now, 0));
        let age = now.since(begun);
        // A clock that stepped back begins a new hour as well.
        if !(0..HOUR_MICROS).contains(&age) {
            *hour = Some((now, 1));
            return Ok(());
        }
        if count >= TESTS_MAX {
            return Err(u64::try_from((HOUR_MICROS - age) / SECOND).unwrap_or(0).max(1));
        }
        *hour = Some((begun, count + 1));
        Ok(())
    }
}
