//! When a letter that was not taken is tried again.

use keystead_domain::time::{Micros, SECOND};
use rand_core::Rng;

/// After the first try.
const FIRST_MICROS: i64 = 60 * SECOND;
/// Between two tries at most: a server that was down for a night is asked again in the morning.
pub(super) const LONGEST_MICROS: i64 = 4 * 3_600 * SECOND;
/// A letter is given up so long after it was written, or was asked to be tried again (RFC 5321 §4.5.4.1).
pub(super) const GIVEN_UP_MICROS: i64 = 5 * 86_400 * SECOND;

/// When the next try is due after that many: a minute, two, four, … up to four hours, each by up to a fifth
/// longer, so that what failed together does not come back together.
pub(super) fn next_try(attempts: i64, now: Micros, rng: &mut (impl Rng + ?Sized)) -> Micros {
    let doubled = u32::try_from(attempts.saturating_sub(1).clamp(0, 30)).unwrap_or(0);
    let wait = FIRST_MICROS.saturating_mul(1_i64 << doubled).min(LONGEST_MICROS);
    let jitter = i64::from(rng.next_u32() % 1_000) * (wait / 5_000);
    now.plus(wait + jitter)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::ChaCha8Rng;
    use rand_core::SeedableRng;

    #[test]
    fn each_wait_is_twice_as_long_up_to_four_hours_and_a_fifth() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut wait = |attempts| next_try(attempts, Micros(0), &mut rng).0;
        for (attempts, minutes) in [(0, 1), (1, 1), (2, 2), (3, 4), (8, 128), (9, 240), (i64::MAX, 240)] {
            for _ in 0..100 {
                let least = minutes * 60 * SECOND;
                assert!((least..least + least / 5).contains(&wait(attempts)), "{attempts}");
            }
        }
        assert_ne!(wait(1), wait(1));
    }
}
