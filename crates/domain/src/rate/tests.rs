//! Tests of rate limits: never more than the rate and the burst, nothing taken by a refusal.

use super::*;
use keystead_api::LimitSpec;
use proptest::prelude::*;

fn rule(limit: u64, window: &str, burst: Option<u64>) -> RateRule {
    RateRule::compile(&LimitSpec { name: "l".into(), limit, window: window.into(), burst }).unwrap()
}

const START: Micros = Micros(1_700_000_000_000_000);

#[test]
fn the_burst_passes_at_once_and_then_one_unit_an_interval() {
    let (rule, cell) = (rule(10, "10s", Some(3)), RateCell::new());
    for _ in 0..3 {
        assert!(cell.take(&rule, 1, START, Default::default()).is_ok());
    }
    let refused = cell.take(&rule, 1, START, Default::default()).unwrap_err();
    assert_eq!(refused, NotTaken::Over(RateState { remaining: 0, wait_ns: 1_000_000_000 }));
    assert!(cell.take(&rule, 1, START.plus(999_999), Default::default()).is_err());
    assert!(cell.take(&rule, 1, START.plus(1_000_000), Default::default()).is_ok());
}

/// LESSONS 7: a refused request had already consumed.
#[test]
fn lesson_7_a_refused_request_takes_nothing() {
    let (rule, cell) = (rule(10, "10s", None), RateCell::new());
    assert!(cell.take(&rule, 8, START, Default::default()).is_ok());
    assert!(cell.take(&rule, 3, START, Default::default()).is_err());
    assert_eq!(cell.state(&rule, 1, START).remaining, 2);
    assert!(cell.take(&rule, 2, START, Default::default()).is_ok());
}

#[test]
fn a_cost_above_the_burst_never_passes_and_says_so() {
    let (rule, cell) = (rule(10, "10s", Some(3)), RateCell::new());
    let never = RateState { remaining: 3, wait_ns: u64::MAX };
    assert_eq!(cell.take(&rule, 4, START, Default::default()), Err(NotTaken::Over(never)));
    assert!(cell.take(&rule, u64::MAX, START, Default::default()).is_err());
}

#[test]
fn a_clock_that_steps_back_an_hour_refuses_for_one_window_at_most() {
    let (rule, cell) = (rule(10, "10s", None), RateCell::new());
    for _ in 0..10 {
        cell.take(&rule, 1, START, Default::default()).unwrap();
    }
    let back = START.plus(-3_600_000_000);
    assert!(cell.take(&rule, 1, back, Default::default()).is_err());
    assert!(cell.take(&rule, 10, back.plus(10_000_000), Default::default()).is_ok());
}

#[test]
fn with_limit_n_exactly_n_pass_from_many_threads() {
    let (rule, cell) = (rule(1_000, "1h", None), RateCell::new());
    let passed: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    (0..500).filter(|_| cell.take(&rule, 1, START, Default::default()).is_ok()).count()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(passed, 1_000);
}

proptest! {
    /// Never over-admits: in every span of the history, at most `limit·t/window + burst` pass.
    #[test]
    fn never_more_than_the_rate_and_the_burst(
        limit in 1_u64..200, window in 1_u64..100, burst_share in 1_u64..=100,
        steps in proptest::collection::vec((0_i64..3_000_000, 1_u64..5), 1..200),
    ) {
        let burst = (limit * burst_share).div_ceil(100);
        let rule = rule(limit, &format!("{window}s"), Some(burst));
        let cell = RateCell::new();
        let (mut now, mut passed) = (START, Vec::new());
        for (step, cost) in steps {
            now = now.plus(step);
            if cell.take(&rule, cost, now, Default::default()).is_ok() {
                passed.push((now, cost));
            }
        }
        for first in 0..passed.len() {
            let mut sum = 0_u128;
            for (at, cost) in &passed[first..] {
                sum += u128::from(*cost);
                let micros = u128::try_from(at.since(passed[first].0)).unwrap();
                let allowed = u128::from(limit) * micros + u128::from(burst * window) * 1_000_000;
                prop_assert!(sum * u128::from(window) * 1_000_000 <= allowed);
            }
        }
    }
}
