//! The limiter's atomics under every interleaving: no update is lost, none is counted twice.
//!
//! `cargo test -p keystead-domain --features loom --test loom`
#![cfg(feature = "loom")]

use keystead_api::LimitSpec;
use keystead_domain::rate::{RateCell, RateRule};
use keystead_domain::time::Micros;
use loom::sync::Arc;

const NOW: Micros = Micros(1_700_000_000_000_000);

fn rule(limit: u64) -> RateRule {
    let spec = LimitSpec { name: "l".into(), limit, window: "1h".into(), burst: None };
    RateRule::compile(&spec).unwrap()
}

/// Every interleaving with at most three preemptions: loom's own advice, since bugs that need more
/// are not known, and the number of all interleavings is astronomical.
fn check(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(model);
}

#[test]
fn no_take_is_lost() {
    check(|| {
        let (cell, rule) = (Arc::new(RateCell::new()), Arc::new(rule(2)));
        let threads: Vec<_> = (0..2)
            .map(|_| {
                let (cell, rule) = (Arc::clone(&cell), Arc::clone(&rule));
                loom::thread::spawn(move || usize::from(cell.take(&rule, 1, NOW, Default::default()).is_ok()))
            })
            .collect();
        let mut passed = usize::from(cell.take(&rule, 1, NOW, Default::default()).is_ok());
        for thread in threads {
            passed += thread.join().unwrap();
        }
        assert_eq!(passed, 2);
    });
}

#[test]
fn what_is_given_back_can_be_taken_and_a_racing_take_stays_counted() {
    check(|| {
        let (cell, rule) = (Arc::new(RateCell::new()), Arc::new(rule(3)));
        let other = {
            let (cell, rule) = (Arc::clone(&cell), Arc::clone(&rule));
            loom::thread::spawn(move || cell.take(&rule, 1, NOW, Default::default()).is_ok())
        };
        let reading = loop {
            let reading = cell.read(&rule, 1, NOW, Default::default()).unwrap();
            if cell.commit(reading) {
                break reading;
            }
        };
        cell.give_back(reading, &rule, 1);
        assert!(other.join().unwrap());
        assert_eq!(cell.state(&rule, 1, NOW).remaining, 2);
    });
}
