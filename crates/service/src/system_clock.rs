//! The one place that reads the system's wall clock.

use keystead_domain::time::{Clock, Micros};

/// The system's wall clock.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the Clock that everything else takes")]
    fn now(&self) -> Micros {
        jiff::Timestamp::now().into()
    }
}
