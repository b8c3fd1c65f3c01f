//! What is known of keys dies with what it was made of, is bounded, and never says anything else than Cedar.

use super::*;
use proptest::prelude::*;

const TEAM: &str = r#"forbid (principal is Key, action == Action::"verify", resource)
    when { principal.teams.contains("Leavers") };"#;

#[test]
fn what_looks_at_no_request_is_found_out_once() {
    let place = place(false);
    let (_, known) = enforce(&place, &[TEAM]);
    let key = entry(1, &place, &ann(&team("Admin")));
    assert!(known.is_empty());
    assert!(!is_forbidden(&key, &Ask::default(), NOON));
    assert_eq!(known.len(), 1);
    assert!(!is_forbidden(&key, &from("192.0.2.1"), NOON));
    assert_eq!(known.len(), 1);
}

#[test]
fn it_dies_with_the_policy_the_key_and_the_owner() {
    let place = place(false);
    enforce(
        &place,
        &[
            TEAM,
            r#"forbid (principal is Key, action == Action::"verify", resource) when { principal.tags.contains("lost") };"#,
        ],
    );
    let team = team("Admin");
    let owner = ann(&team);
    let key = entry(1, &place, &owner);
    let ask = Ask::default();
    assert!(!is_forbidden(&key, &ask, NOON));
    // The key.
    assert!(is_forbidden(&tagged(&key, &["lost"]), &ask, NOON));
    assert!(!is_forbidden(&key, &ask, NOON));
    // The name of the owner's team, which touches neither the key nor the owner.
    team.state.store(team_state("Leavers"));
    assert!(is_forbidden(&key, &ask, NOON));
    // The owner's place in it.
    owner.state.store(state("Ann", member_reach(&team, Some(NOON))));
    assert!(!is_forbidden(&key, &ask, NOON));
    owner.state.store(state("Ann", member_reach(&team, None)));
    assert!(is_forbidden(&key, &ask, NOON));
    // Another owner.
    assert!(!is_forbidden(&Entry { owner: account(), ..key.clone() }, &ask, NOON));
    // The policy.
    enforce(
        &place,
        &[
            r#"forbid (principal is Key, action == Action::"verify", resource) when { principal.teams.contains("Nobody") };"#,
        ],
    );
    assert!(!is_forbidden(&key, &ask, NOON));
    place.project.conditions.set(None);
    assert!(!is_forbidden(&key, &ask, NOON));
}

#[test]
fn it_is_bounded() {
    let place = place(false);
    let (rules, _) = rules(vec![policy(1, None, TEAM)]);
    let known = Arc::new(Known::of_at_most(640));
    let rules =
        Rules::new(&LANGUAGE, rules.policies().to_vec(), Arc::clone(&known), Arc::new(|_, _, _| None));
    place.project.conditions.set(Arc::new(rules).conditions(PROJECT, false));
    let key = entry(0, &place, &account());
    for n in 0..2_000 {
        assert!(!is_forbidden(&Entry { id: key_id(n), ..key.clone() }, &Ask::default(), NOON));
    }
    assert!((100..=640).contains(&known.len()), "{}", known.len());
}

#[derive(Debug, Clone)]
enum Step {
    Tag(usize, bool),
    Team(&'static str),
    Leave(bool),
    Ask(usize, bool),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        (0..3usize, any::<bool>()).prop_map(|(key, on)| Step::Tag(key, on)),
        proptest::sample::select(vec!["Admin", "Leavers"]).prop_map(Step::Team),
        any::<bool>().prop_map(Step::Leave),
        (0..3usize, any::<bool>()).prop_map(|(key, inside)| Step::Ask(key, inside)),
    ];
    proptest::collection::vec(step, 1..24)
}

/// Policies that look at the key, at the request, at both in one condition, and at neither.
const SOME: [&str; 5] = [
    TEAM,
    r#"forbid (principal is Key, action == Action::"verify", resource)
       when { principal.tags.contains("ci") } unless { context has ip && context.ip.isInRange(ip("10.0.0.0/8")) };"#,
    r#"forbid (principal is Key, action == Action::"verify", resource)
       when { principal.tags.contains("ci") && context.hour >= 6 && principal.kind == "private" };"#,
    r#"forbid (principal is Key, action == Action::"verify", resource)
       unless { principal.tags.contains("ci") || !(context has ip) || principal.teams.contains("Admin") };"#,
    r#"forbid (principal in Team::"ADMIN_ID", action == Action::"verify", resource)
       when { if context has ip then principal.tags.isEmpty() else false };"#,
];

proptest! {
    /// Whatever changes in whatever order, what is remembered says what asking every policy whole says.
    #[test]
    fn what_is_remembered_is_what_cedar_says(chosen in proptest::sample::subsequence(SOME.to_vec(), 1..=5), steps in steps()) {
        let place = place(false);
        let last = SOME[4].replace("ADMIN_ID", &ADMIN.to_string());
        let texts: Vec<&str> = chosen.iter().map(|text| if *text == SOME[4] { last.as_str() } else { text }).collect();
        let (rules, _) = enforce(&place, &texts);
        let team = team("Admin");
        let owner = ann(&team);
        let mut keys = [entry(1, &place, &owner), entry(2, &place, &owner), entry(3, &place, &account())];
        for step in steps {
            match step {
                Step::Tag(key, on) => keys[key] = tagged(&keys[key], if on { &["ci"] } else { &[] }),
                Step::Team(name) => team.state.store(team_state(name)),
                Step::Leave(left) => owner.state.store(state("Ann", member_reach(&team, left.then_some(NOON)))),
                Step::Ask(key, inside) => {
                    let ask = if inside { from("10.0.0.1") } else { from("192.0.2.1") };
                    let quick = is_forbidden(&keys[key], &ask, NOON);
                    prop_assert_eq!(quick, is_forbidden_by_all(&rules, &keys[key], &ask, NOON));
                }
            }
        }
    }
}
