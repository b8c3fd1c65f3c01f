//! Tests of routes' limits: whom they count together, exactly as many as there are, and no more counters than there is
//! room for.

use super::*;
use crate::meter::Account;
use crate::rate::nanos;
use crate::share::Sharing;
use crate::time::SECOND;
use proptest::prelude::*;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};

const NOW: Micros = Micros(1_700_000_000_000_000);
const HERE: EnvironmentId = EnvironmentId([3; 16]);

fn spec(name: &str, limit: u64, per: LimitPer) -> GuardLimit {
    GuardLimit { name: name.into(), limit, window: "1h".into(), burst: None, per }
}

fn list(specs: &[GuardLimit]) -> Box<[RouteLimit]> {
    RouteLimit::list("GET /a", specs, true).unwrap()
}

fn at<'a>(limits: &'a [RouteLimit], cells: &'a Arc<RouteCells>) -> AtRoute<'a> {
    AtRoute { limits, cells, environment: HERE }
}

/// A request from there, without a key.
fn from(ip: &str) -> Ask<'static> {
    Ask { ip: Some(ip.parse().unwrap()), cost: 1, ..Ask::default() }
}

fn network(number: u128) -> Ask<'static> {
    Ask { ip: Some(IpAddr::V6(Ipv6Addr::from(number << 64 | 7))), cost: 1, ..Ask::default() }
}

fn passes(route: &AtRoute<'_>, ask: &Ask<'_>, now: Micros) -> bool {
    route.take(None, [None; 3], ask, now).is_ok()
}

fn remaining(route: &AtRoute<'_>, ask: &Ask<'_>, now: Micros) -> Vec<u64> {
    route.states(None, ask, now).map(|(_, state)| state.remaining).collect()
}

#[test]
fn what_is_no_limit_is_refused_and_its_field_named() {
    let field = |specs: &[GuardLimit], public| RouteLimit::list("GET /a", specs, public).unwrap_err().field;
    let good = spec("a", 1, LimitPer::All);
    assert_eq!(field(&vec![good.clone(); 5], false), "/limits");
    assert_eq!(field(&[good.clone(), good.clone()], false), "/limits/1/name");
    assert_eq!(field(&[good.clone(), spec("b", 0, LimitPer::All)], false), "/limits/1/limit");
    assert_eq!(field(&[GuardLimit { window: "1w".into(), ..good.clone() }], false), "/limits/0/window");
    assert_eq!(field(&[GuardLimit { burst: Some(2), ..good }], false), "/limits/0/burst");
    for per in [LimitPer::Key, LimitPer::Consumer] {
        assert_eq!(field(&[spec("a", 1, per)], true), "/limits/0/per");
        assert!(RouteLimit::list("GET /a", &[spec("a", 1, per)], false).is_ok());
    }
}

#[test]
fn networks_and_environments_count_apart() {
    let (limits, cells) = (list(&[spec("a", 1, LimitPer::Address)]), Arc::default());
    let route = at(&limits, &cells);
    for (ip, wanted) in [
        ("192.0.2.1", true),
        ("192.0.2.1", false),
        ("::ffff:192.0.2.1", false),
        ("192.0.2.2", true),
        ("2001:db8:0:1::1", true),
        ("2001:db8:0:1:ffff::", false),
        ("2001:db8:0:2::1", true),
        // Its network has the bits of 192.0.2.1.
        ("0:0:c000:201::", true),
    ] {
        assert_eq!(passes(&route, &from(ip), NOW), wanted, "{ip}");
    }
    let elsewhere = AtRoute { environment: EnvironmentId([4; 16]), ..route };
    assert!(passes(&elsewhere, &from("192.0.2.1"), NOW));
    // Nobody knows from where: all of these count together.
    let nowhere = Ask { cost: 1, ..Ask::default() };
    assert!(passes(&route, &nowhere, NOW) && !passes(&route, &nowhere, NOW));
}

#[test]
fn a_limit_is_known_by_its_route_its_name_and_whom_it_counts() {
    let id = |route: &str, name: &str, limit: u64, per| {
        RouteLimit::list(route, &[spec(name, limit, per)], false).unwrap()[0].id()
    };
    let one = id("GET /a", "a", 5, LimitPer::All);
    assert_eq!(one, id("GET /a", "a", 9, LimitPer::All));
    assert_ne!(one, id("POST /a", "a", 5, LimitPer::All));
    assert_ne!(one, id("GET /a", "b", 5, LimitPer::All));
    assert_ne!(one, id("GET /a", "a", 5, LimitPer::Key));
}

/// LESSONS 7: a refused request had already consumed; two limits shared one counter.
#[test]
fn lesson_7_a_refusal_by_one_takes_of_none() {
    let key = MeterRules {
        rates: Box::new([list(&[spec("key", 5, LimitPer::All)])[0].rate().unwrap().clone()]),
        ..MeterRules::default()
    };
    let meter = Meter::new(&key);
    let others = [Some(Metered { of: Of::Key, rules: &key, meter: &meter }), None, None];
    let limits = list(&[spec("each", 2, LimitPer::Address), spec("all", 3, LimitPer::All)]);
    let cells = Arc::default();
    let route = at(&limits, &cells);
    let take = |ip: &str| route.take(None, others, &from(ip), NOW);
    let state =
        |ip: &str| (meter.rate_state(&key, 0, 1, NOW).unwrap().remaining, remaining(&route, &from(ip), NOW));
    assert!(take("192.0.2.1").is_ok() && take("192.0.2.1").is_ok());
    assert!(matches!(take("192.0.2.1"), Err(Refusal::Rate { of: Of::RouteHere(0), .. })));
    assert_eq!(state("192.0.2.1"), (3, vec![0, 1]));
    assert!(take("192.0.2.2").is_ok());
    assert!(matches!(take("192.0.2.2"), Err(Refusal::Rate { of: Of::Route(1), .. })));
    assert_eq!(state("192.0.2.2"), (2, vec![1, 0]));
    // The key's own limit refuses: the route's are not touched.
    let all = |ip: &str| passes(&at(&limits[..1], &cells), &from(ip), NOW);
    assert!(all("192.0.2.2"));
    meter.first().take(&key.rates[0], 2, NOW, Default::default()).unwrap();
    let later = NOW.plus(3_600 * SECOND / 3);
    meter.first().take(&key.rates[0], 1, later, Default::default()).unwrap();
    let refused = route.take(None, others, &from("192.0.2.3"), later);
    assert!(matches!(refused, Err(Refusal::Rate { of: Of::Key, .. })), "{refused:?}");
    assert_eq!(remaining(&route, &from("192.0.2.3"), later), [2, 1]);
}

#[test]
fn with_limit_n_exactly_n_pass_from_many_threads() {
    let limits = list(&[spec("each", 70, LimitPer::Address), spec("all", 300, LimitPer::All)]);
    let cells = Arc::default();
    let own = MeterRules {
        rates: Box::new([list(&[spec("key", 90, LimitPer::All)])[0].rate().unwrap().clone()]),
        ..MeterRules::default()
    };
    // Two networks with three keys each: a network lets 70 pass, a key that is alone 90.
    let counts: Vec<usize> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..6)
            .map(|thread| {
                let (limits, cells, own) = (&limits, &cells, &own);
                scope.spawn(move || {
                    let (route, ask) = (at(limits, cells), network(thread / 2));
                    let meter = Meter::new(own);
                    let others = [Some(Metered { of: Of::Key, rules: own, meter: &meter }), None, None];
                    (0..400).filter(|_| route.take(None, others, &ask, NOW).is_ok()).count()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(counts.chunks(2).map(|two| two.iter().sum()).collect::<Vec<usize>>(), [70, 70, 70]);
    assert_eq!(remaining(&at(&limits, &cells), &network(0), NOW), [0, 90]);
    let all = list(&[spec("everybody", 300, LimitPer::All)]);
    let passed: usize = std::thread::scope(|scope| {
        let take = || (0..200).filter(|_| passes(&at(&all, &cells), &from("192.0.2.1"), NOW)).count();
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(take)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(passed, 300);
}

/// LESSONS 42: whoever has many addresses fills no memory, and neither opens the route nor closes it for others.
#[test]
fn lesson_42_counters_are_bounded_and_newcomers_counted_together() {
    let cells = Arc::new(RouteCells::with_room(64, 64));
    let limits = list(&[spec("each", 2, LimitPer::Address), spec("all", 1_000_000, LimitPer::All)]);
    let route = at(&limits, &cells);
    let passed = (0..10_000).filter(|number| passes(&route, &network(*number), NOW)).count();
    // 64 networks of their own, and 2 each in at most 16 parts for all others.
    assert!((64..=64 + 32).contains(&passed), "{passed}");
    assert!(cells.len() <= 64 + 16 + 1, "{}", cells.len());
    // Who has a counter keeps it.
    assert!(passes(&route, &network(0), NOW));
    // What has been paid for makes room, and in time goes by itself.
    let later = NOW.plus(3_602 * SECOND);
    assert!((0..10).all(|number| passes(&route, &network(1_000_000 + number), later)));
    cells.sweep(later.plus(3_602 * SECOND));
    assert!(cells.is_empty());
}

/// Looking through a part drops no counter that the same request has just made.
#[test]
fn whoever_comes_first_passes_whatever_is_dropped_meanwhile() {
    let limits = list(&["a", "b", "c", "d"].map(|name| spec(name, 1, LimitPer::Address)));
    let cells = Arc::default();
    let route = at(&limits, &cells);
    for number in 0..5_000 {
        assert!(passes(&route, &network(number), NOW), "{number}");
        assert!(!passes(&route, &network(number), NOW), "{number}");
    }
    assert_eq!(cells.len(), 20_000);
}

#[test]
fn limits_by_address_are_counted_here_alone_and_the_others_with_other_nodes() {
    let (limits, cells) =
        (list(&[spec("each", 5, LimitPer::Address), spec("all", 5, LimitPer::All)]), Arc::default());
    let among = Sharing::among_others();
    let ask = Ask { sharing: &among, ..from("192.0.2.1") };
    assert!(passes(&at(&limits[..1], &cells), &ask, NOW));
    let Err(Refusal::NeedsLease(need)) = at(&limits, &cells).take(None, [None; 3], &ask, NOW) else {
        panic!()
    };
    assert_eq!((need.of, need.account), (Of::Route(1), Account::Rate(0)));
    let mut shared = Vec::new();
    cells.each(|id, _| shared.push(id));
    assert_eq!(shared, [at(&limits, &cells).meter(1, None, &ask).unwrap().0]);
    let stored = RouteMeterId::from_slice(shared[0].as_bytes()).unwrap();
    assert_eq!((stored, stored.environment(), stored.limit()), (shared[0], HERE, limits[1].id()));
}

#[test]
fn a_limit_whose_numbers_change_keeps_its_count() {
    let cells = Arc::default();
    let (ten, four) = (list(&[spec("a", 10, LimitPer::All)]), list(&[spec("a", 4, LimitPer::All)]));
    let ask = from("192.0.2.1");
    assert!((0..10).all(|_| passes(&at(&ten, &cells), &ask, NOW)));
    assert!(!passes(&at(&four, &cells), &ask, NOW));
    assert!(passes(&at(&four, &cells), &ask, NOW.plus(900 * SECOND)));
    assert_eq!(remaining(&at(&ten, &cells), &ask, NOW.plus(900 * SECOND)), [0]);
}

proptest! {
    /// Never over-admits, whenever counters are swept: in every span at most `limit·t/window + burst` of a network.
    #[test]
    fn never_more_than_the_rate_and_the_burst_however_often_counters_go(
        limit in 1_u64..20, window in 1_u64..20,
        steps in proptest::collection::vec((0_i64..2_000_000, 0_u128..6, any::<bool>()), 1..200),
    ) {
        let rate = GuardLimit { window: format!("{window}s"), ..spec("a", limit, LimitPer::Address) };
        let (limits, cells) = (list(&[rate]), Arc::default());
        let route = at(&limits, &cells);
        let (mut now, mut passed) = (NOW, HashMap::<u128, Vec<u64>>::new());
        for (step, who, sweeps) in steps {
            now = now.plus(step);
            if sweeps {
                cells.sweep(now);
            }
            if passes(&route, &network(who), now) {
                passed.entry(who).or_default().push(nanos(now));
            }
        }
        for times in passed.values() {
            for (first, from) in times.iter().enumerate() {
                for (count, at) in (1_u128..).zip(&times[first..]) {
                    let allowed = u128::from(limit) * u128::from(at - from)
                        + u128::from(limit * window) * 1_000_000_000;
                    prop_assert!(count * u128::from(window) * 1_000_000_000 <= allowed);
                }
            }
        }
    }
}
