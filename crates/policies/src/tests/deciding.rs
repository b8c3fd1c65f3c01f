//! What policies forbid, and that nothing which is quick says less than Cedar does.

use super::*;
use keystead_domain::conditions::{Deed, Why};
use proptest::prelude::*;

const FROM_OFFICE: &str = r#"forbid (principal is Key, action == Action::"verify", resource)
    when { principal.tags.contains("ci") }
    unless { context has ip && context.ip.isInRange(ip("10.0.0.0/8")) };"#;

#[test]
fn a_tag_and_a_network_forbid_and_let_pass() {
    let place = place(false);
    enforce(&place, &[FROM_OFFICE]);
    let plain = entry(1, &place, &account());
    let ci = tagged(&entry(2, &place, &account()), &["ci"]);
    assert!(!is_forbidden(&plain, &from("192.0.2.1"), NOON));
    for _ in 0..2 {
        assert!(is_forbidden(&ci, &from("192.0.2.1"), NOON));
        assert!(!is_forbidden(&ci, &from("10.1.1.1"), NOON));
        // An address that is written as one of IPv6 is the same.
        assert!(!is_forbidden(&ci, &from("::ffff:10.1.1.1"), NOON));
        // What the request does not say does not help it.
        assert!(is_forbidden(&ci, &Ask::default(), NOON));
    }
}

#[test]
fn time_is_told_in_utc() {
    let place = place(false);
    let text = r#"forbid (principal is Key, action == Action::"verify", resource)
        unless { context.weekday == 4 && context.hour == 12 && context.minute == 0 && context.time == 1767268800 };"#;
    enforce(&place, &[text]);
    let key = entry(1, &place, &account());
    assert!(!is_forbidden(&key, &Ask::default(), NOON));
    assert!(is_forbidden(&key, &Ask::default(), NOON.plus(60_000_000)));
    assert!(is_forbidden(&key, &Ask::default(), Micros(-1)));
}

/// Cedar leaves out a policy whose evaluation errs. Of a `forbid` that would be a way in.
#[test]
fn an_evaluation_that_errs_forbids() {
    let place = place(false);
    let overflow = r#"forbid (principal is Key, action == Action::"verify", resource)
        when { context.time * 9223372036854775807 > 0 };"#;
    let of_key = r#"forbid (principal is Key, action == Action::"verify", resource)
        when { principal has expires_at && principal.expires_at * 9223372036854775807 > 0 };"#;
    for text in [overflow, of_key] {
        enforce(&place, &[text]);
        let key = Entry { expires_at: NOON, ..entry(1, &place, &account()) };
        for _ in 0..2 {
            let found = forbidden(&key, &Ask::default(), NOON).unwrap();
            assert_eq!(found.why, Why::Failed, "{text}");
        }
    }
}

#[test]
fn a_policy_that_is_none_any_more_forbids_where_it_could_be_meant() {
    let broken =
        policy(1, Some(PROJECT), "forbid (principal, action, resource) when { principal.shoe_size > 44 };");
    assert_eq!(broken.mistakes().len(), 2, "{:?}", broken.mistakes());
    let known = Arc::new(Known::default());
    let rules = Arc::new(Rules::new(&LANGUAGE, vec![broken], known, Arc::new(|_, _, _| None)));
    let place = place(false);
    place.project.conditions.set(rules.conditions(PROJECT, false));
    let found = forbidden(&entry(1, &place, &account()), &Ask::default(), NOON).unwrap();
    assert_eq!(found.why, Why::Broken);
    assert!(rules.conditions(ProjectId([8; 16]), false).is_none(), "another project's keys do not suffer");
    let system = super::place(true);
    system.project.conditions.set(rules.conditions(system.project.id, true));
    let (caller, query) = (entry(2, &system, &account()), query("keys.delete"));
    let here = format!("projects/{PROJECT}");
    let ask = Ask { permissions: Some(&query), resource: Some(&here), ..Ask::default() };
    assert!(is_forbidden(&caller, &ask, NOON));
    assert!(!is_forbidden(&caller, &Ask { resource: None, ..ask }, NOON));
    assert!(!is_forbidden(&caller, &Ask { deed: Deed::Mend, ..ask }, NOON));
}

#[test]
fn minting_is_an_action_of_its_own() {
    let place = place(false);
    enforce(&place, &[r#"forbid (principal is Key, action == Action::"mint", resource);"#]);
    let key = entry(1, &place, &account());
    assert!(!is_forbidden(&key, &Ask::default(), NOON));
    assert!(is_forbidden(&key, &Ask { deed: Deed::Mint, ..Ask::default() }, NOON));
}

#[test]
fn administration_is_forbidden_by_action_team_and_place() {
    let system = place(true);
    let text = r#"forbid (principal, action in Action::"write", resource is Environment)
        when { resource.slug == "production" }
        unless { principal.teams.contains("Admin") };"#;
    enforce(&system, &[text]);
    let (admins, others) = (team("Admin"), team("Tech"));
    let production = format!("projects/{PROJECT}/environments/{PRODUCTION}");
    for (permission, resource, by_others) in [
        ("keys.delete", Some(&*production), true),
        ("keys.read", Some(&*production), false),
        ("keys.verify", Some(&*production), false),
        ("keys.delete", Some("projects/prj_0000000000000000000000"), false),
        ("keys.delete", None, false),
    ] {
        let query = query(permission);
        let ask = Ask { permissions: Some(&query), resource, ..Ask::default() };
        for (team, expected) in [(&admins, false), (&others, by_others)] {
            let key = entry(1, &system, &ann(team));
            assert_eq!(is_forbidden(&key, &ask, NOON), expected, "{permission} on {resource:?}");
            assert_eq!(is_forbidden(&session(&key), &ask, NOON), expected, "{permission} on {resource:?}");
        }
        let robot = entry(2, &system, &account());
        assert_eq!(is_forbidden(&robot, &ask, NOON), by_others, "a program is in no team");
    }
    // What needs no permission is asked of no policy.
    assert!(!is_forbidden(&entry(1, &system, &ann(&others)), &Ask::default(), NOON));
}

fn heads() -> impl Strategy<Value = String> {
    let id = |kind: &'static str, ids: Vec<String>| {
        proptest::sample::select(ids).prop_map(move |id| format!("{kind}::\"{id}\"")).boxed()
    };
    let things = prop_oneof![
        id("Key", vec![key_id(1).to_string(), key_id(2).to_string()]),
        id("Member", vec![ANN.to_string(), MemberId([8; 16]).to_string()]),
        id("Team", vec![ADMIN.to_string(), TeamId([8; 16]).to_string()]),
        id("Consumer", vec![ConsumerId([5; 16]).to_string()]),
        id("ServiceAccount", vec![ServiceAccountId([4; 16]).to_string()]),
        id("Environment", vec![PRODUCTION.to_string(), EnvironmentId([8; 16]).to_string()]),
        id("Project", vec![PROJECT.to_string(), ProjectId([8; 16]).to_string()]),
        id("Organization", vec![ORGANIZATION.to_string(), OrganizationId([8; 16]).to_string()]),
    ];
    prop_oneof![
        Just("principal".to_owned()),
        Just("principal is Key".to_owned()),
        things.clone().prop_map(|thing| format!("principal in {thing}")),
        things.clone().prop_map(|thing| format!("principal == {thing}")),
        things.prop_map(|thing| format!("principal is Key in {thing}")),
    ]
}

fn sites() -> impl Strategy<Value = String> {
    let named = [
        format!("Environment::\"{PRODUCTION}\""),
        format!("Project::\"{PROJECT}\""),
        format!("Project::\"{}\"", ProjectId([8; 16])),
        format!("Organization::\"{ORGANIZATION}\""),
    ];
    let named = proptest::sample::select(named.to_vec());
    prop_oneof![
        Just("resource".to_owned()),
        Just("resource is Environment".to_owned()),
        named.clone().prop_map(|thing| format!("resource in {thing}")),
        named.clone().prop_map(|thing| format!("resource == {thing}")),
        named.prop_map(|thing| format!("resource is Environment in {thing}")),
    ]
}

fn keys(place: &Arc<Place>) -> Vec<Entry> {
    let (admins, member) = (team("Admin"), ann(&team("Admin")));
    let membership = Membership { team: Arc::clone(&admins), left_at: None };
    let seat = principal(
        OwnerId::Seat(SeatId([9; 16])),
        "Ann",
        Reach::Seat { member: Arc::clone(&member), membership },
    );
    let consumer = principal(OwnerId::Consumer(ConsumerId([5; 16])), "Customer", Reach::Anything);
    let issued = Entry { consumer: Some(Arc::clone(&consumer)), ..entry(4, place, &account()) };
    vec![
        entry(1, place, &account()),
        entry(2, place, &member),
        entry(3, place, &seat),
        issued,
        entry(5, place, &consumer),
    ]
}

proptest! {
    /// Which keys a policy touches is told without evaluation. Where it says no, Cedar says so too.
    #[test]
    fn what_is_not_touched_is_not_forbidden(principal in heads(), resource in sites()) {
        let text = format!("forbid ({principal}, action == Action::\"verify\", {resource});");
        let policy = policy(1, None, &text);
        // What can never apply is refused: there is nothing to compare.
        prop_assume!(policy.mistakes().is_empty());
        let place = place(false);
        let (rules, _) = rules(vec![policy]);
        place.project.conditions.set(rules.conditions(PROJECT, false));
        for key in keys(&place) {
            let quick = is_forbidden(&key, &Ask::default(), NOON);
            prop_assert_eq!(quick, is_forbidden_by_all(&rules, &key, &Ask::default(), NOON), "{} {}", text, key.id);
        }
    }
}
