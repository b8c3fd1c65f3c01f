//! Each rule finds what it names, from the day that it says, and nothing that is not certain.

mod properties;

use super::*;
use crate::time::Micros;
use keystead_api::{KeyKind, Seen, Sighting};

const NOW: Micros = Micros(1_800_000_000_000_000);

fn ago(days: i64) -> Micros {
    NOW.plus(-days * DAY)
}

fn sighting(value: &str, count: u64, last_at: Micros) -> Sighting {
    let at = last_at.to_timestamp();
    Sighting { value: value.to_owned(), count, first_at: at, last_at: at }
}

fn sightings(values: &[&str], last_at: Micros) -> Vec<Sighting> {
    values.iter().map(|value| sighting(value, 1, last_at)).collect()
}

fn held(name: &str) -> Held {
    let (name, resources) = (name.to_owned(), Vec::new());
    Held { name, resources, sensitive: false, since: ago(UNUSED_PERMISSION_DAYS), use_is_recorded: true }
}

/// What passed so often, last yesterday, each time asking for these.
fn used(permissions: &[&str], passed: u64) -> Seen {
    Seen {
        last_used_at: Some(ago(1).to_timestamp()),
        passed,
        passed_unnamed: Some(0),
        permissions: permissions.iter().map(|name| sighting(name, passed, ago(1))).collect(),
        ..Seen::default()
    }
}

/// A key of yesterday's with nothing to mend.
fn good<'a>(held: &'a [Held], seen: &'a Seen) -> HygieneFacts<'a> {
    HygieneFacts {
        id: "key_1",
        project: "acme",
        environment: "production",
        kind: KeyKind::Private,
        usable_from: ago(1),
        created_at: ago(1),
        expires_at: Some(NOW.plus(DAY)),
        rotation_due_at: None,
        held,
        holds_all: false,
        has_roles: false,
        has_networks: true,
        has_limits: true,
        owner: OwnerFacts::ServiceAccount { id: "sa_1", of_project: true, is_described: true },
        seen,
        overflowed: Overflowed::default(),
        use_is_recorded: true,
        has_minted: false,
        now: NOW,
    }
}

fn codes(facts: &HygieneFacts<'_>) -> Vec<&'static str> {
    judge(facts).iter().map(|finding| finding.code.as_str()).collect()
}

fn command(facts: &HygieneFacts<'_>) -> String {
    judge(facts).remove(0).command.unwrap()
}

#[test]
fn a_key_with_nothing_to_mend_has_the_full_score() {
    let (held, seen) = ([held("routes.read")], used(&["routes.read"], 3));
    assert_eq!(codes(&good(&held, &seen)), [""; 0]);
    assert_eq!(key_score(&judge(&good(&held, &seen))), 100);
}

#[test]
fn never_used_begins_after_thirty_days_in_which_it_could_be_used() {
    let seen = Seen::default();
    let at =
        |days: i64, micros: i64| HygieneFacts { usable_from: ago(days).plus(micros), ..good(&[], &seen) };
    assert_eq!(codes(&at(30, 0)), ["never_used"]);
    assert_eq!(codes(&at(30, 1)), [""; 0]);
    assert_eq!(command(&at(30, 0)), "keystead keys disable key_1");
    assert_eq!(codes(&HygieneFacts { use_is_recorded: false, ..at(400, 0) }), [""; 0]);
    let refused = Seen { refused: 9, last_refused_at: Some(ago(1).to_timestamp()), ..Seen::default() };
    assert_eq!(codes(&HygieneFacts { usable_from: ago(30), ..good(&[], &refused) }), ["never_used"]);
}

#[test]
fn dormant_begins_ninety_days_after_the_last_use_and_not_for_a_younger_key() {
    let last =
        |days: i64| Seen { passed: 1, last_used_at: Some(ago(days).to_timestamp()), ..Seen::default() };
    let (long_ago, lately) = (last(90), last(89));
    let of = |seen, days| HygieneFacts { usable_from: ago(days), ..good(&[], seen) };
    assert_eq!(codes(&of(&long_ago, 400)), ["dormant"]);
    assert_eq!(codes(&of(&lately, 400)), [""; 0]);
    // Rotated yesterday: its lineage is older than the key.
    assert_eq!(codes(&of(&long_ago, 1)), [""; 0]);
    assert_eq!(codes(&HygieneFacts { use_is_recorded: false, ..of(&long_ago, 400) }), [""; 0]);
}

#[test]
fn a_permission_is_unused_only_when_that_is_certain() {
    let all = [held("routes.read"), held("routes.write")];
    let seen = used(&["routes.read"], 5);
    let facts = HygieneFacts { has_roles: true, ..good(&all, &seen) };
    let found = judge(&facts).remove(0);
    assert_eq!(
        (found.code, found.evidence.permissions),
        (HygieneCode::OverPrivileged, vec!["routes.write".to_owned()])
    );
    assert_eq!(found.evidence.days, Some(30));
    assert_eq!(found.command.unwrap(), "keystead keys update key_1 --permission routes.read --no-roles");

    let overflowed = Overflowed { permissions: true, ..Overflowed::default() };
    assert_eq!(
        codes(&HygieneFacts { overflowed, ..good(&all, &seen) }),
        [""; 0],
        "the list has forgotten some"
    );
    // Of a question for several each counts, so that their sum says nothing.
    let silent = Seen { passed_unnamed: Some(1), ..used(&["routes.read", "routes.list"], 5) };
    assert_eq!(codes(&good(&all, &silent)), [""; 0], "one request named no permission");
    let old = Seen { passed_unnamed: None, ..seen.clone() };
    assert_eq!(codes(&good(&all, &old)), [""; 0], "nobody counted whether all named one");
    let lately = [held("routes.read"), Held { since: ago(30).plus(1), ..held("routes.write") }];
    assert_eq!(codes(&good(&lately, &seen)), [""; 0], "it has not had it for long");
    let unseen = [held("routes.read"), Held { use_is_recorded: false, ..held("keys.verify") }];
    assert_eq!(codes(&good(&unseen, &seen)), [""; 0], "its use is not recorded");
    assert_eq!(codes(&good(&all, &Seen::default())), [""; 0], "it was not used at all");
}

#[test]
fn many_networks_or_programs_share_a_key() {
    let networks = ["192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "10.0.0.0/24", "10.0.1.0/24"];
    let (five, four) = (sightings(&networks, ago(30)), sightings(&networks[..4], ago(30)));
    let from = |networks: Vec<Sighting>| Seen { networks, ..used(&[], 0) };
    let (five, four) = (from(five), from(four));
    assert_eq!(codes(&good(&[], &five)), ["key_shared"]);
    assert_eq!(codes(&good(&[], &four)), [""; 0]);
    let old = from(sightings(&networks, ago(30).plus(-1)));
    assert_eq!(codes(&good(&[], &old)), [""; 0], "they were seen long ago");
    assert_eq!(codes(&HygieneFacts { kind: KeyKind::Public, ..good(&[], &five) }), [""; 0]);
    assert_eq!(codes(&HygieneFacts { has_minted: true, ..good(&[], &five) }), [""; 0]);

    let agents = ["curl/8.1", "curl/8.2", "Curl/9", "python-requests/2", "Go-http-client/2.0"];
    let three = Seen { user_agents: sightings(&agents, ago(1)), ..used(&[], 0) };
    assert_eq!(codes(&good(&[], &three)), [""; 0], "versions are one program");
    let admin = [Held { sensitive: true, ..held("admin.all") }];
    let found = judge(&good(&admin, &three)).remove(0);
    assert_eq!((found.code, found.severity), (HygieneCode::AdminKeyShared, HygieneSeverity::Critical));
    assert_eq!(found.evidence.programs, ["curl", "go-http-client", "python-requests"]);
    let overflowed = Overflowed { user_agents: true, ..Overflowed::default() };
    let found = judge(&HygieneFacts { overflowed, ..good(&admin, &three) }).remove(0);
    assert!(found.evidence.maybe_more && found.detail.contains("at least"), "{}", found.detail);
}

#[test]
fn an_owner_says_who_answers_for_a_key() {
    let seen = used(&[], 0);
    let of = |owner| HygieneFacts { owner, ..good(&[], &seen) };
    let account =
        |of_project, is_described| OwnerFacts::ServiceAccount { id: "sa_1", of_project, is_described };
    for (owner, begins) in [
        (account(false, true), "keystead keys update key_1 --owner"),
        (account(true, false), "keystead service-accounts update --project acme sa_1 --description"),
        (
            OwnerFacts::Consumer { id: "con_1", has_contact: false },
            "keystead consumers update --project acme con_1 --contact",
        ),
    ] {
        assert_eq!(codes(&of(owner)), ["owner_unclear"]);
        assert!(command(&of(owner)).starts_with(begins), "{}", command(&of(owner)));
    }
    assert_eq!(codes(&of(OwnerFacts::Consumer { id: "con_1", has_contact: true })), [""; 0]);
}

#[test]
fn of_a_key_whose_person_is_gone_nothing_else_is_said() {
    let seen = Seen::default();
    let of = |owner| HygieneFacts { owner, expires_at: None, usable_from: ago(400), ..good(&[], &seen) };
    assert_eq!(codes(&of(OwnerFacts::Person)), ["never_used", "no_expiry"]);
    assert_eq!(codes(&of(OwnerFacts::Disabled)), ["leavers_key"]);
    let left = of(OwnerFacts::Left { at: ago(3) });
    assert_eq!(codes(&left), ["team_key_without_person"]);
    assert_eq!(command(&left), "keystead keys update key_1 --owner OWNER");
    assert_eq!(judge(&left).remove(0).evidence.days, Some(3));
    let mut counts = HygieneCounts::default();
    for owner in [OwnerFacts::Disabled, OwnerFacts::Left { at: ago(3) }, OwnerFacts::Left { at: ago(9) }] {
        count(&mut counts, &judge(&of(owner)));
    }
    let traced = answers(&counts).remove(1);
    assert_eq!((traced.keys, traced.finding), (3, HygieneCode::TeamKeyWithoutPerson));
}

#[test]
fn a_life_without_end_and_a_rotation_that_is_due_are_found() {
    let seen = used(&[], 0);
    assert_eq!(codes(&HygieneFacts { expires_at: None, ..good(&[], &seen) }), ["no_expiry"]);
    let due = |at| HygieneFacts { rotation_due_at: Some(at), ..good(&[], &seen) };
    assert_eq!(codes(&due(NOW)), ["rotation_overdue"]);
    assert_eq!(codes(&due(NOW.plus(1))), [""; 0]);
}

#[test]
fn a_command_lets_in_only_networks_from_which_it_passed() {
    let seen = Seen { networks: sightings(&["192.0.2.0/24", "2001:db8::/48"], ago(1)), ..used(&[], 2) };
    let open = |seen| HygieneFacts { has_networks: false, ..good(&[], seen) };
    assert_eq!(codes(&open(&seen)), ["no_network_rule"]);
    let expected = "keystead keys update key_1 --network-allow 192.0.2.0/24 --network-allow 2001:db8::/48";
    assert_eq!(command(&open(&seen)), expected);
    let refused = Seen { refused: 1, ..seen.clone() };
    assert_eq!(command(&open(&refused)), "keystead keys update key_1 --network-allow NETWORK");
    let unnamed = Seen { passed: 3, ..seen.clone() };
    assert_eq!(command(&open(&unnamed)), "keystead keys update key_1 --network-allow NETWORK");
    let mut long_ago = seen.clone();
    long_ago.networks.extend(sightings(&["203.0.113.0/24"], ago(31)));
    assert_eq!(command(&open(&long_ago)), "keystead keys update key_1 --network-allow NETWORK");
    let many: Vec<String> = (0..5).map(|net| format!("10.0.{net}.0/24")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let shared = Seen { networks: sightings(&many, ago(1)), ..used(&[], 2) };
    let found = judge(&open(&shared)).pop().unwrap();
    assert_eq!(found.command.unwrap(), "keystead keys update key_1 --network-allow NETWORK");
    for kind in [KeyKind::Public, KeyKind::Temporary] {
        assert_eq!(codes(&HygieneFacts { kind, ..open(&seen) }), [""; 0]);
    }
}

#[test]
fn a_public_key_is_too_strong_with_sensitive_permissions_everything_or_without_limits() {
    let seen = used(&[], 0);
    let public = |held| HygieneFacts { kind: KeyKind::Public, ..good(held, &seen) };
    let (plain, sensitive) = ([held("a")], [held("a"), Held { sensitive: true, ..held("b") }]);
    assert_eq!(codes(&public(&plain)), [""; 0]);
    assert_eq!(codes(&public(&sensitive)), ["public_too_strong"]);
    assert_eq!(command(&public(&sensitive)), "keystead keys update key_1 --permission a");
    let everything = HygieneFacts { holds_all: true, ..public(&plain) };
    assert_eq!(codes(&everything), ["public_too_strong"]);
    let two = [held("a"), held("b")];
    let kept = |seen| command(&HygieneFacts { holds_all: true, seen, ..public(&two) });
    let named = used(&["a"], 3);
    let silent = Seen { passed_unnamed: Some(1), ..named.clone() };
    assert_eq!(kept(&named), "keystead keys update key_1 --permission a");
    let both = "keystead keys update key_1 --permission a --permission b";
    assert_eq!(kept(&silent), both, "what named no permission may have used any");
    assert_eq!(codes(&HygieneFacts { has_limits: false, ..public(&plain) }), ["public_too_strong"]);
}

#[test]
fn administrative_permissions_make_everything_one_worse() {
    let (seen, admin) = (used(&[], 0), [Held { sensitive: true, ..held("admin.all") }]);
    let open = |held| HygieneFacts { expires_at: None, has_networks: false, ..good(held, &seen) };
    assert_eq!(key_score(&judge(&open(&[]))), 90);
    assert_eq!(key_score(&judge(&open(&admin))), 80);
}

#[test]
fn the_whole_is_the_mean_and_no_critical_finding_hides_in_it() {
    assert_eq!(whole_score(&HygieneCounts::default()), 100);
    let of = |keys, points| HygieneCounts { keys, points, ..HygieneCounts::default() };
    assert_eq!(whole_score(&of(3, 299)), 99);
    let critical =
        HygieneCounts { by_severity: [(HygieneSeverity::Critical, 1)].into(), ..of(1_000, 99_950) };
    assert_eq!(whole_score(&critical), 50);
    assert_eq!(whole_score(&HygieneCounts { keys: 10, points: 200, ..critical }), 20);
}
