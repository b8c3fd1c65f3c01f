//! Tests of shares: the bound over all nodes, and that a share follows demand.

use super::*;
use crate::rate::{NotTaken, RateCell};
use keystead_api::LimitSpec;
use proptest::prelude::*;

const START: Micros = Micros(1_767_225_600_000_000);

fn rule(limit: u64, window: u64, burst: u64) -> RateRule {
    let spec = LimitSpec { name: "l".into(), limit, window: format!("{window}s"), burst: Some(burst) };
    RateRule::compile(&spec).unwrap()
}

/// Nodes that count one limit.
struct Nodes {
    rule: RateRule,
    account: RateAccount,
    sharing: Sharing,
    cells: Vec<RateCell>,
    /// How far each node's clock is ahead, in microseconds.
    ahead: Vec<i64>,
    /// Answers of the account that come late, each with its node.
    late: Vec<(usize, Result<Share, RateState>)>,
    passed: Vec<(Micros, u64)>,
}

impl Nodes {
    fn new(rule: RateRule, count: usize, sharing: Sharing) -> Self {
        let cells = (0..count).map(|_| RateCell::new()).collect();
        Self {
            rule,
            account: RateAccount::default(),
            sharing,
            cells,
            ahead: vec![0; count],
            late: Vec::new(),
            passed: Vec::new(),
        }
    }

    /// How far the clocks of two nodes may differ, in microseconds.
    fn tolerated(window: u64) -> i64 {
        i64::try_from(window * 1_000_000 / 27).unwrap()
    }

    fn ask(&mut self, node: usize, need: u64, now: Micros, is_late: bool) {
        let now = now.plus(self.ahead[node]);
        let want = self.cells[node].want(&self.rule, need, now);
        let answer = self.account.take(&self.rule, (need, want), now);
        if is_late {
            self.late.push((node, answer));
        } else {
            self.cells[node].hear(&self.rule, answer, now, &self.sharing);
        }
    }

    /// A request; whether it passed.
    fn request(&mut self, node: usize, cost: u64, now: Micros, is_late: bool) -> bool {
        for try_again in [true, false] {
            let own_now = now.plus(self.ahead[node]);
            match self.cells[node].take(&self.rule, cost, own_now, &self.sharing) {
                Ok(ahead) => {
                    self.passed.push((now, cost));
                    if ahead {
                        self.ask(node, 1, now, is_late);
                    }
                    return true;
                }
                Err(NotTaken::Share) if try_again => self.ask(node, cost, now, is_late),
                Err(_) => return false,
            }
        }
        false
    }

    /// The first node stops counting alone.
    fn share(&mut self) {
        self.sharing.set_alone_until(Micros(i64::MIN));
        self.account.0 = self.account.0.max(self.cells[0].surrender());
    }

    fn hear_late(&mut self, now: Micros) {
        for (node, answer) in std::mem::take(&mut self.late) {
            self.cells[node].hear(&self.rule, answer, now.plus(self.ahead[node]), &self.sharing);
        }
    }

    /// In every span of the history no more passed than is promised.
    fn check(&self) -> Result<(), TestCaseError> {
        let (limit, window) = (u128::from(self.rule.limit), u128::from(self.rule.window_seconds) * 1_000_000);
        let apart = self.ahead.iter().max().unwrap() - self.ahead.iter().min().unwrap();
        let more = u128::try_from(life_micros(&self.rule) + apart).unwrap();
        for first in 0..self.passed.len() {
            let mut sum = 0_u128;
            for (at, cost) in &self.passed[first..] {
                sum += u128::from(*cost);
                let micros = u128::try_from(at.since(self.passed[first].0)).unwrap();
                let allowed = limit * (micros + more) + u128::from(self.rule.burst) * window;
                prop_assert!(sum * window <= allowed, "{sum} in {micros} µs");
            }
        }
        Ok(())
    }
}

proptest! {
    /// However many nodes there are, whatever they ask and whenever they hear: never more than the
    /// limit over the time, a share's life and what their clocks differ by, and the burst. So in a window
    /// never more than `limit × 1.1 + burst`.
    #[test]
    fn never_more_than_the_limit_over_all_nodes(
        limit in 1_u64..500, window in prop_oneof![1_u64..60, 60_u64..90_000], burst_share in 1_u64..=100,
        ahead in proptest::collection::vec(0_i64..=1_000, 1..8),
        alone in 0_usize..60,
        // A step is in millionths of the window.
        steps in proptest::collection::vec((0_usize..8, 0_i64..8_000, 1_u64..10, any::<bool>(), any::<bool>()), 1..600),
    ) {
        let burst = (limit * burst_share).div_ceil(100);
        let nodes = ahead.len();
        let mut all = Nodes::new(rule(limit, window, burst), nodes, Sharing::alone());
        all.ahead = ahead.iter().map(|share| Nodes::tolerated(window) * share / 1_000).collect();
        let mut now = START;
        for (index, (node, step, cost, is_late, hears)) in steps.into_iter().enumerate() {
            now = now.plus(step * i64::try_from(window).unwrap());
            if index == alone {
                all.share();
            }
            let node = if index < alone { 0 } else { node % nodes };
            if hears {
                all.hear_late(now);
            }
            all.request(node, cost, now, is_late);
        }
        all.check()?;
    }
}

#[test]
fn a_share_in_a_window_stays_below_a_tenth_more() {
    let rule = rule(1_000, 60, 1_000);
    let window = u64::try_from(life_micros(&rule)).unwrap() * LIFE_PARTS;
    assert_eq!(window, 60_000_000);
    const { assert!(LIFE_PARTS > 10) };
}

/// Asks as often as it says, for ten seconds; how many of each node's requests passed.
fn run(rule: RateRule, every_micros: &[i64]) -> Vec<u64> {
    let mut nodes = Nodes::new(rule, every_micros.len(), Sharing::among_others());
    let mut passed = vec![0; every_micros.len()];
    for micros in (0..10_000_000).step_by(500) {
        for (node, every) in every_micros.iter().enumerate() {
            if micros % every == 0 && nodes.request(node, 1, START.plus(micros), false) {
                passed[node] += 1;
            }
        }
    }
    nodes.check().unwrap();
    passed
}

#[test]
fn a_node_that_asks_alone_gets_the_whole_limit() {
    // 100 a second and 100 at once: 1,100 in ten seconds.
    let passed = run(rule(100, 1, 100), &[1_000, 9_000_000]);
    assert!(passed[0] >= 1_050, "{passed:?}");
}

#[test]
fn shares_follow_demand() {
    let passed = run(rule(1_000, 1, 1_000), &[500, 5_000]);
    let all: u64 = passed.iter().sum();
    assert!(all >= 10_000, "much of the limit was wasted: {passed:?}");
    assert!(passed[0] > 3 * passed[1], "{passed:?}");
    assert!(passed[1] > 100, "one node starves: {passed:?}");
    let even = run(rule(1_000, 1, 1_000), &[500, 500]);
    assert!(even[0] < 2 * even[1] && even[1] < 2 * even[0], "{even:?}");
}

#[test]
fn below_the_limit_everything_passes_with_few_questions() {
    let mut nodes = Nodes::new(rule(1_000, 1, 1_000), 2, Sharing::among_others());
    let (mut before, mut questions) = (nodes.account, 0);
    for micros in (0..10_000_000).step_by(2_000) {
        assert!(nodes.request(0, 1, START.plus(micros), false), "{micros}");
        questions += u32::from(nodes.account != before);
        before = nodes.account;
    }
    assert!(questions < 800, "{questions} questions for 5,000 requests");
}

#[test]
fn an_account_with_nothing_left_is_not_asked_again_and_again() {
    let rule = rule(10, 60, 10);
    let (cell, sharing) = (RateCell::new(), Sharing::among_others());
    let mut account = RateAccount::default();
    account.take(&rule, (10, 10), START).unwrap();
    let answer = account.take(&rule, (1, 1), START);
    cell.hear(&rule, answer, START, &sharing);
    let NotTaken::Over(state) = cell.take(&rule, 1, START, &sharing).unwrap_err() else { panic!() };
    // A unit comes every six seconds, and a share's life is shorter: it is asked again after that.
    assert!(state.wait_ns > 3_000_000_000, "{state:?}");
    assert_eq!(cell.take(&rule, 1, START.plus(3_760_000), &sharing), Err(NotTaken::Share));
}

#[test]
fn a_share_is_worth_nothing_after_its_life_and_moves_to_new_rules_once() {
    let rule = rule(160, 16, 160);
    let (cell, sharing) = (RateCell::new(), Sharing::among_others());
    cell.hear(&rule, RateAccount::default().take(&rule, (5, 5), START), START, &sharing);
    assert_eq!(cell.state(&rule, 1, START).remaining, 5);
    let moved = RateCell::standing_at(&cell);
    assert_eq!((cell.state(&rule, 1, START).remaining, moved.state(&rule, 1, START).remaining), (0, 5));
    assert!(moved.take(&rule, 1, START.plus(999_000), &sharing).is_ok());
    assert_eq!(moved.take(&rule, 1, START.plus(1_000_000), &sharing), Err(NotTaken::Share));
}

#[test]
fn what_was_counted_alone_is_surrendered_once_and_resumed() {
    let rule = rule(10, 10, 10);
    let (cell, alone) = (RateCell::new(), Sharing::alone());
    for _ in 0..10 {
        cell.take(&rule, 1, START, &alone).unwrap();
    }
    let counted = cell.surrender();
    assert_eq!((counted, cell.surrender()), (nanos(START) + 10_000_000_000, 0));
    let mut account = RateAccount(counted);
    assert!(account.take(&rule, (1, 1), START).is_err());
    cell.resume(&rule, account.0, START);
    assert!(matches!(cell.take(&rule, 1, START, &alone), Err(NotTaken::Over(_))));
    assert!(cell.take(&rule, 1, START.plus(1_000_000), &alone).is_ok());
    // An answer that comes when it counts alone again changes nothing.
    let before = cell.state(&rule, 1, START);
    cell.hear(&rule, Ok(Share { units: 5, until: START.plus(1_000_000) }), START, &alone);
    assert_eq!(cell.state(&rule, 1, START), before);
}

/// A minute and a half is within a twenty-seventh of an hour: neither node gives the other anything.
#[test]
fn nodes_whose_clocks_differ_as_they_may_do_not_fill_the_account_in_turn() {
    let mut nodes = Nodes::new(rule(3_600, 3_600, 3_600), 2, Sharing::among_others());
    nodes.ahead[0] = 90_000_000;
    assert!(nodes.ahead[0] < Nodes::tolerated(3_600));
    for second in 0..3_600 {
        for node in 0..2 {
            nodes.request(node, 60, START.plus(second * 1_000_000), false);
        }
    }
    nodes.check().unwrap();
}

#[test]
fn a_share_that_came_too_late_is_dropped_and_a_count_is_not() {
    let rule = rule(10, 10, 10);
    let (alone, among) = (Sharing::alone(), Sharing::among_others());
    let counted = RateCell::new();
    counted.take(&rule, 10, START, &alone).unwrap();
    counted.drop_share();
    assert!(matches!(counted.take(&rule, 1, START, &alone), Err(NotTaken::Over(_))));
    let held = RateCell::new();
    held.hear(&rule, RateAccount::default().take(&rule, (5, 5), START), START, &among);
    held.drop_share();
    assert_eq!(held.state(&rule, 1, START).remaining, 10);
    assert_eq!(held.take(&rule, 1, START, &among), Err(NotTaken::Share));
}

#[test]
fn an_account_from_before_a_clock_stepped_back_is_resumed_near() {
    let rule = rule(10, 10, 10);
    let (cell, back) = (RateCell::new(), START.plus(-3_600_000_000));
    cell.resume(&rule, nanos(START) + 10_000_000_000, back);
    assert!(cell.take(&rule, 1, back, Default::default()).is_err());
    assert!(cell.take(&rule, 10, back.plus(10_000_000), Default::default()).is_ok());
}

#[test]
fn a_process_that_may_not_count_alone_any_more_asks() {
    let rule = rule(10, 10, 10);
    let (cell, sharing) = (RateCell::new(), Sharing::alone());
    sharing.set_alone_until(START);
    assert!(cell.take(&rule, 1, START.plus(-1), &sharing).is_ok());
    assert_eq!(cell.take(&rule, 1, START, &sharing), Err(NotTaken::Share));
}

#[test]
fn a_clock_that_stepped_back_far_refuses_for_a_window_at_most() {
    let rule = rule(10, 10, 10);
    let mut account = RateAccount::default();
    account.take(&rule, (10, 10), START).unwrap();
    let back = START.plus(-3_600_000_000);
    assert!(account.take(&rule, (1, 1), back).is_err());
    assert!(account.take(&rule, (10, 10), back.plus(10_000_000)).is_ok());
}
