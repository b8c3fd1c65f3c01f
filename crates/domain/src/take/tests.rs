//! Tests of taking from several meters: all or nothing, and exactly as many as there are.

use super::*;
use crate::calendar::CreditsRule;
use crate::lease::Leased;
use keystead_api::{LimitSpec, QuotaPeriod, QuotaSpec, Refill};

const NOW: Micros = Micros(1_700_000_000_000_000);

fn rules(limits: &[(&str, u64)], quota: Option<u64>, credits: bool) -> MeterRules {
    let limits: Vec<_> = limits
        .iter()
        .map(|(name, limit)| LimitSpec {
            name: (*name).into(),
            limit: *limit,
            window: "1h".into(),
            burst: None,
        })
        .collect();
    let quota = quota.map(|limit| QuotaSpec { limit, per: QuotaPeriod::Day, time_zone: None });
    let credits = credits.then_some(CreditsRule { refill: Refill::None, amount: 0 });
    MeterRules::compile(&limits, quota.as_ref(), credits).unwrap()
}

fn key<'a>(rules: &'a MeterRules, meter: &'a Meter) -> Metered<'a> {
    Metered { of: Of::Key, rules, meter }
}

fn remaining(rules: &MeterRules, meter: &Meter, index: usize) -> u64 {
    meter.rate_state(rules, index, 1, NOW).unwrap().remaining
}

/// LESSONS 7: two limits shared one counter; a refused request had consumed.
#[test]
fn lesson_7_limits_count_apart_and_a_refusal_by_one_takes_of_none() {
    let rules = rules(&[("a", 10), ("b", 2)], None, false);
    let meter = Meter::new(&rules);
    for _ in 0..2 {
        take(key(&rules, &meter), None, None, 1, NOW, Default::default()).unwrap();
    }
    let refusal = take(key(&rules, &meter), None, None, 1, NOW, Default::default()).unwrap_err();
    assert!(matches!(refusal, Refusal::Rate { of: Of::Key, index: 1, .. }), "{refusal:?}");
    assert_eq!((remaining(&rules, &meter, 0), remaining(&rules, &meter, 1)), (8, 0));
}

#[test]
fn a_refusal_by_quota_or_credits_takes_no_rate() {
    let rules = rules(&[("a", 10)], Some(1), true);
    let meter = Meter::new(&rules);
    let lease = |taken, beyond| Leased { taken, beyond, valid_until: Micros::FOREVER };
    let need = |account| Refusal::NeedsLease(LeaseNeed { of: Of::Key, account, units: 1 });
    assert_eq!(take(key(&rules, &meter), None, None, 1, NOW, Default::default()), Err(need(Account::Quota)));
    meter.add(Account::Quota, lease(1, 0));
    assert_eq!(
        take(key(&rules, &meter), None, None, 1, NOW, Default::default()),
        Err(need(Account::Credits))
    );
    meter.add(Account::Credits, lease(0, 0));
    let used_up = Refusal::UsedUp { of: Of::Key, account: Account::Credits, until: None };
    assert_eq!(take(key(&rules, &meter), None, None, 1, NOW, Default::default()), Err(used_up));
    assert_eq!(remaining(&rules, &meter, 0), 10);
    assert_eq!(meter.show_blocks().quota.held(NOW), 1);
}

#[test]
fn with_a_shared_consumer_limit_exactly_n_pass_over_all_keys() {
    let shared = rules(&[("plan", 300)], None, false);
    let shared_meter = Meter::new(&shared);
    let shapes = [
        rules(&[], None, false),
        rules(&[("own", 1_000)], None, false),
        rules(&[("x", 1_000), ("y", 90)], None, false),
    ];
    let meters: Vec<_> = shapes.iter().map(Meter::new).collect();
    let passed: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..6)
            .map(|thread| {
                let (shape, meter) = (&shapes[thread % 3], &meters[thread % 3]);
                let consumer = Metered { of: Of::Consumer, rules: &shared, meter: &shared_meter };
                scope.spawn(move || {
                    (0..400)
                        .filter(|_| {
                            take(key(shape, meter), Some(consumer), None, 1, NOW, Default::default()).is_ok()
                        })
                        .count()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(passed, 300);
    assert_eq!(remaining(&shared, &shared_meter, 0), 0);
}

#[test]
fn new_rules_keep_the_count_of_a_limit_that_keeps_its_name() {
    let (old, new) = (rules(&[("a", 10), ("b", 5)], None, false), rules(&[("b", 5), ("c", 7)], None, false));
    let meter = Meter::new(&old);
    take(key(&old, &meter), None, None, 3, NOW, Default::default()).unwrap();
    let carried = meter.carried(&old, &new);
    assert_eq!((remaining(&new, &carried, 0), remaining(&new, &carried, 1)), (2, 7));
}

/// LESSONS 8: what is leased is not spent twice, by the key as it was and as it is.
#[test]
fn lesson_8_a_block_moves_to_the_new_rules() {
    let (old, new) = (rules(&[("a", 10)], None, true), rules(&[("b", 10)], None, true));
    let meter = Meter::new(&old);
    meter.add(Account::Credits, Leased { taken: 5, beyond: 0, valid_until: Micros::FOREVER });
    let carried = meter.carried(&old, &new);
    let held = |meter: &Meter| meter.show_blocks().credits.held(NOW);
    assert_eq!((held(&meter), held(&carried)), (0, 5));
    let need = LeaseNeed { of: Of::Key, account: Account::Credits, units: 1 };
    assert_eq!(
        take(key(&old, &meter), None, None, 1, NOW, Default::default()),
        Err(Refusal::NeedsLease(need))
    );
}
