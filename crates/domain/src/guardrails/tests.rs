//! Each guardrail refuses what it names and nothing else.

mod approval;
mod layers;

use super::*;
use crate::policy::PolicySpec;
use crate::time::Micros;
use keystead_api::{GuardrailName, Networks, PermissionGrant, Restrictions};

const NOW: Micros = Micros(1_800_000_000_000_000);
const DAY: i64 = 86_400 * SECOND;

fn layer(from: GuardrailScope, rules: &Guardrails) -> Layer {
    Layer::compile(from, rules).unwrap()
}

fn one(rules: &Guardrails) -> Guard {
    Guard::of(Some(layer(GuardrailScope::Organization, rules)), None)
}

fn every(rules: KindGuardrails) -> Guard {
    one(&Guardrails { every_kind: rules, ..Guardrails::default() })
}

fn spec(permissions: &[&str], allow: &[&str]) -> PolicySpec {
    let allow: Vec<String> = allow.iter().map(|text| (*text).to_owned()).collect();
    PolicySpec {
        permissions: permissions.iter().map(|name| PermissionGrant::Everywhere((*name).to_owned())).collect(),
        restrictions: Restrictions {
            networks: (!allow.is_empty()).then(|| Networks { allow, deny: Vec::new() }),
            ..Restrictions::default()
        },
        ..PolicySpec::default()
    }
}

fn policy(spec: &PolicySpec) -> PolicyFacts {
    PolicyFacts::of(spec, |_| None).unwrap()
}

fn key(policy: &PolicyFacts) -> KeyFacts<'_> {
    KeyFacts {
        kind: KeyKind::Private,
        prefix: Some("acme"),
        created_at: NOW,
        expires_at: None,
        policy,
        owner: "owner",
        keys_of_owner: Some(1),
        now: NOW,
    }
}

fn names(guard: &Guard, facts: &KeyFacts<'_>) -> Vec<GuardrailName> {
    guard.violations(facts).into_iter().map(|violation| violation.told.guardrail).collect()
}

#[test]
fn nothing_is_guarded_by_default() {
    let policy = policy(&spec(&["**"], &[]));
    assert_eq!(names(&one(&Guardrails::default()), &key(&policy)), []);
}

#[test]
fn kinds_and_prefixes_that_are_not_listed_are_refused() {
    let policy = PolicyFacts::default();
    let rules = Guardrails { kinds_allowed: Some(vec![KeyKind::Private]), ..Guardrails::default() };
    assert_eq!(names(&one(&rules), &key(&policy)), []);
    let none = Guardrails { kinds_allowed: Some(vec![]), ..Guardrails::default() };
    assert_eq!(names(&one(&none), &key(&policy)), [GuardrailName::KindsAllowed]);
    for (allowed, prefix, passes) in [
        ("acme", Some("acme"), true),
        ("acme", Some("acme_eu"), false),
        ("acme_*", Some("acme_eu"), true),
        ("acme_*", Some("acme"), false),
        ("*", Some("anything"), true),
        // Others chose how an imported key begins.
        ("acme", None, true),
    ] {
        let rules = Guardrails { prefixes_allowed: Some(vec![allowed.to_owned()]), ..Guardrails::default() };
        let found = names(&one(&rules), &KeyFacts { prefix, ..key(&policy) });
        assert_eq!(found.is_empty(), passes, "{allowed} {prefix:?}");
    }
}

#[test]
fn a_lifetime_is_counted_from_the_creation_and_never_is_too_long() {
    let policy = PolicyFacts::default();
    let guard = every(KindGuardrails { lifetime_max: Some("90d".into()), ..KindGuardrails::default() });
    let until = |days| KeyFacts { expires_at: Some(NOW.plus(days * DAY)), ..key(&policy) };
    assert_eq!(names(&guard, &until(90)), []);
    let over = KeyFacts { expires_at: Some(NOW.plus(90 * DAY + 1)), ..key(&policy) };
    assert_eq!(names(&guard, &over), [GuardrailName::LifetimeMax]);
    assert_eq!(names(&guard, &key(&policy)), [GuardrailName::LifetimeMax]);
    // Not from now: else each update could prolong it again.
    let old = KeyFacts { created_at: NOW.plus(-80 * DAY), ..until(20) };
    assert_eq!(names(&guard, &old), [GuardrailName::LifetimeMax]);
}

#[test]
fn an_expiry_a_limit_and_an_age_are_demanded() {
    let bare = PolicyFacts::default();
    let guard = every(KindGuardrails {
        expiry_required: true,
        limits_required: true,
        rotation_age_max: Some("30d".into()),
        ..KindGuardrails::default()
    });
    let all = [GuardrailName::ExpiryRequired, GuardrailName::RotationAgeMax, GuardrailName::LimitsRequired];
    let old = KeyFacts { created_at: NOW.plus(-31 * DAY), ..key(&bare) };
    assert_eq!(names(&guard, &old), all);
    let limited = PolicyFacts { has_limits: true, ..PolicyFacts::default() };
    let good = KeyFacts { expires_at: Some(NOW.plus(900 * DAY)), ..key(&limited) };
    assert_eq!(names(&guard, &good), []);
}

#[test]
fn networks_that_are_all_there_is_are_none() {
    let guard = every(KindGuardrails { networks_required: true, ..KindGuardrails::default() });
    for (allow, passes) in [
        (&[][..], false),
        (&["192.0.2.0/24"], true),
        (&["2001:db8::/32", "192.0.2.1"], true),
        (&["0.0.0.0/0"], false),
        (&["::/0"], false),
        (&["192.0.2.0/24", "0.0.0.0/1", "128.0.0.0/1"], false),
    ] {
        let policy = policy(&spec(&[], allow));
        assert_eq!(names(&guard, &key(&policy)).is_empty(), passes, "{allow:?}");
    }
}

#[test]
fn what_is_forbidden_is_forbidden_in_every_spelling() {
    let guard = every(KindGuardrails {
        permissions_forbidden: vec!["admin.*".into(), "*.delete".into()],
        ..KindGuardrails::default()
    });
    for (given, passes) in [
        ("routes.read", true),
        ("admin", true),
        ("admin.users", false),
        ("zones.delete", false),
        ("routes.*", false),
        ("**", false),
        ("routes.*.read", true),
    ] {
        let policy = policy(&spec(&[given], &[]));
        assert_eq!(names(&guard, &key(&policy)).is_empty(), passes, "{given}");
    }
    let by_role = PolicySpec {
        roles: vec![crate::policy::RoleSpec { id: "r".into(), resources: vec![] }],
        ..PolicySpec::default()
    };
    let set = |_: &str| PermissionSet::parse(&["routes.read".to_owned(), "admin.x".to_owned()]).ok();
    let policy = PolicyFacts::of(&by_role, set).unwrap();
    let found = guard.violations(&key(&policy));
    assert_eq!((found.len(), found[0].told.field.as_str()), (1, "/roles/0"));
}

#[test]
fn an_owner_has_so_many_keys_and_no_more() {
    let policy = PolicyFacts::default();
    let guard = one(&Guardrails { keys_per_owner_max: Some(2), ..Guardrails::default() });
    for (keys, passes) in [(None, true), (Some(2), true), (Some(3), false)] {
        let facts = KeyFacts { keys_of_owner: keys, ..key(&policy) };
        assert_eq!(names(&guard, &facts).is_empty(), passes, "{keys:?}");
    }
}

#[test]
fn rules_of_one_kind_hold_for_that_kind_besides_those_of_every_kind() {
    let demand = KindGuardrails { expiry_required: true, ..KindGuardrails::default() };
    let rules = Guardrails {
        every_kind: KindGuardrails { limits_required: true, ..KindGuardrails::default() },
        by_kind: [(KeyKind::Private, demand)].into(),
        ..Guardrails::default()
    };
    let policy = PolicyFacts::default();
    let found = names(&one(&rules), &key(&policy));
    assert_eq!(found, [GuardrailName::LimitsRequired, GuardrailName::ExpiryRequired]);
}

#[test]
fn a_key_that_violates_may_be_narrowed_and_not_widened() {
    let guard = every(KindGuardrails {
        lifetime_max: Some("90d".into()),
        permissions_forbidden: vec!["admin.*".into()],
        ..KindGuardrails::default()
    });
    let judge = |permissions: &[&str], days: i64| {
        let policy = policy(&spec(permissions, &[]));
        guard.violations(&KeyFacts { expires_at: Some(NOW.plus(days * DAY)), ..key(&policy) })
    };
    let before = judge(&["admin.*"], 200);
    for (permissions, days, refused) in [
        (&["admin.*"][..], 200, &[][..]),
        (&["admin.users"], 150, &[]),
        (&[], 201, &[GuardrailName::LifetimeMax]),
        (&["admin.*", "admin.*.all"], 200, &[]),
        (&["**"], 200, &[GuardrailName::PermissionsForbidden]),
    ] {
        let found = new_or_worse(&before, judge(permissions, days));
        let found: Vec<_> = found.into_iter().map(|one| one.guardrail).collect();
        assert_eq!(found, refused, "{permissions:?} {days}");
    }
}

#[test]
fn moving_a_key_to_an_owner_with_too_many_is_a_new_violation() {
    let policy = PolicyFacts::default();
    let guard = one(&Guardrails { keys_per_owner_max: Some(1), ..Guardrails::default() });
    let of = |owner, keys| guard.violations(&KeyFacts { owner, keys_of_owner: Some(keys), ..key(&policy) });
    assert!(new_or_worse(&of("a", 5), of("a", 5)).is_empty());
    assert_eq!(new_or_worse(&of("a", 5), of("b", 2)).len(), 1);
}

#[test]
fn a_role_may_not_become_a_way_around() {
    let guard =
        every(KindGuardrails { permissions_forbidden: vec!["admin.*".into()], ..KindGuardrails::default() });
    let given = |names: &[&str]| policy(&spec(names, &[])).given;
    let of = |old: &[&str], new: &[&str]| guard.forbidden(KeyKind::Private, &given(old), &given(new)).len();
    assert_eq!(of(&["routes.read"], &["routes.read", "admin.users"]), 1);
    assert_eq!(of(&["admin.*"], &["admin.users"]), 0);
    assert_eq!(of(&[], &["routes.write"]), 0);
}

#[test]
fn defaults_are_the_projects_and_else_the_organizations() {
    let limits = |name: &str| {
        let spec = LimitSpec { name: name.into(), limit: 1, window: "1m".into(), burst: None };
        Guardrails { limits_default: Some(vec![spec]), ..Guardrails::default() }
    };
    let guard = |project: &Guardrails| {
        let organizations = layer(GuardrailScope::Organization, &limits("all"));
        Guard::of(Some(organizations), Some(layer(GuardrailScope::Project, project)))
    };
    let name = |guard: &Guard| guard.limits_default().unwrap()[0].name.clone();
    assert_eq!(name(&guard(&limits("own"))), "own");
    assert_eq!(name(&guard(&Guardrails::default())), "all");
    assert_eq!(Guard::default().limits_default(), None);
}

#[test]
fn what_holds_is_the_strictest_and_says_where_from() {
    let rules = |days: &str, keys| Guardrails {
        keys_per_owner_max: Some(keys),
        every_kind: KindGuardrails { lifetime_max: Some(days.into()), ..KindGuardrails::default() },
        ..Guardrails::default()
    };
    let guard = Guard::of(
        Some(layer(GuardrailScope::Organization, &rules("90d", 50))),
        Some(layer(GuardrailScope::Project, &rules("365d", 5))),
    );
    let effective = guard.effective();
    let of = |name| effective.iter().find(|one| one.guardrail == name).unwrap();
    let temporary = effective
        .iter()
        .find(|one| one.guardrail == GuardrailName::LifetimeMax && one.kind == Some(KeyKind::Temporary));
    let temporary = temporary.unwrap();
    assert_eq!((temporary.value.as_str(), temporary.from), (Some("24h"), GuardrailScope::BuiltIn));
    let lifetime = of(GuardrailName::LifetimeMax);
    assert_eq!((lifetime.value.as_str(), lifetime.from), (Some("90d"), GuardrailScope::Organization));
    let keys = of(GuardrailName::KeysPerOwnerMax);
    assert_eq!((keys.value.as_u64(), keys.from), (Some(5), GuardrailScope::Project));
}

#[test]
fn a_temporary_key_lives_for_a_day_unless_the_organization_says_otherwise() {
    let policy = PolicyFacts::default();
    let says = |days: &str| {
        let rules = KindGuardrails { lifetime_max: Some(days.into()), ..KindGuardrails::default() };
        Guardrails { by_kind: [(KeyKind::Temporary, rules)].into(), ..Guardrails::default() }
    };
    let lives = |guard: &Guard, hours: i64| {
        let expires_at = Some(NOW.plus(hours * 3_600 * SECOND));
        guard.violations(&KeyFacts { kind: KeyKind::Temporary, expires_at, ..key(&policy) }).is_empty()
    };
    let organization = |days| Some(layer(GuardrailScope::Organization, &says(days)));
    let project = |days| Some(layer(GuardrailScope::Project, &says(days)));
    for (guard, hours) in [
        (Guard::of(None, None), 24),
        (Guard::of(organization("7d"), None), 7 * 24),
        (Guard::of(organization("1h"), None), 1),
        (Guard::of(None, project("7d")), 24),
        (Guard::of(organization("7d"), project("2d")), 48),
        (Guard::of(organization("2d"), project("7d")), 48),
    ] {
        assert!(lives(&guard, hours) && !lives(&guard, hours + 1), "{hours} {guard:?}");
    }
}

#[test]
fn a_minted_key_has_its_parents_networks_and_limits() {
    let guard = every(KindGuardrails {
        networks_required: true,
        limits_required: true,
        permissions_forbidden: vec!["admin.*".into()],
        ..KindGuardrails::default()
    });
    assert!(guard.asks_of_parents() && !every(KindGuardrails::default()).asks_of_parents());
    let parent = PolicyFacts { has_limits: true, ..policy(&spec(&["admin.*"], &["192.0.2.0/24"])) };
    let minted = policy(&spec(&["routes.read"], &[])).under(&parent);
    assert_eq!(names(&guard, &key(&minted)), []);
}

#[test]
fn wrong_fields_are_named() {
    let refused = |rules: Guardrails| Layer::compile(GuardrailScope::Project, &rules).unwrap_err().field;
    let empty = Guardrails::default;
    let prefix = |text: &str| Guardrails { prefixes_allowed: Some(vec![text.into()]), ..empty() };
    for text in ["", "Acme", "1a", "acme_", "a*b", "**", "a*b*", "-*"] {
        assert_eq!(refused(prefix(text)), "/prefixes_allowed/0", "{text}");
    }
    let twice = vec![KeyKind::Private, KeyKind::Private];
    assert_eq!(refused(Guardrails { kinds_allowed: Some(twice), ..empty() }), "/kinds_allowed/1");
    assert_eq!(refused(Guardrails { keys_per_owner_max: Some(0), ..empty() }), "/keys_per_owner_max");
    let limit = LimitSpec { name: "a".into(), limit: 0, window: "1m".into(), burst: None };
    let limits = Guardrails { limits_default: Some(vec![limit]), ..empty() };
    assert_eq!(refused(limits), "/limits_default/0/limit");
    for text in ["", "d", "0d", "3651d", "1w", "-1d", "+1d", "99999999999999999999d", "1é"] {
        let rules = KindGuardrails { lifetime_max: Some(text.into()), ..KindGuardrails::default() };
        let rules = Guardrails { by_kind: [(KeyKind::Private, rules)].into(), ..empty() };
        assert_eq!(refused(rules), "/by_kind/private/lifetime_max", "{text}");
    }
    let rules = KindGuardrails { permissions_forbidden: vec!["A".into()], ..KindGuardrails::default() };
    let rules = Guardrails { every_kind: rules, ..empty() };
    assert_eq!(refused(rules), "/every_kind/permissions_forbidden/0");
}
