//! What needs an approval, what does not, and what once approved needs another.

use super::*;
use crate::pattern::Pattern;
use keystead_api::ApprovalGuardrails;

fn demanding(approval: ApprovalGuardrails) -> Guard {
    every(KindGuardrails { approval, ..KindGuardrails::default() }).knowing(vec!["zones.delete".into()])
}

fn sensitive() -> Guard {
    demanding(ApprovalGuardrails { sensitive_permissions: true, ..ApprovalGuardrails::default() })
}

fn over(text: &str) -> Guard {
    demanding(ApprovalGuardrails { lifetime_over: Some(text.into()), ..ApprovalGuardrails::default() })
}

#[test]
fn a_sensitive_permission_needs_one_however_it_is_given() {
    let guard = sensitive();
    assert!(guard.asks_of_sensitive());
    for (given, needs) in [("zones.delete", true), ("zones.*", true), ("**", true), ("zones.read", false)] {
        let policy = policy(&spec(&[given], &[]));
        let expected = if needs { vec![GuardrailName::ApprovalSensitivePermissions] } else { Vec::new() };
        assert_eq!(names(&guard, &key(&policy)), expected, "{given}");
    }
    let role = |_: &str| Some(PermissionSet::parse(&["zones.*".to_owned()]).unwrap());
    let roles = vec![crate::policy::RoleSpec { id: "r".into(), resources: Vec::new() }];
    let policy = PolicyFacts::of(&PolicySpec { roles, ..PolicySpec::default() }, role).unwrap();
    let told = &guard.violations(&key(&policy))[0].told;
    assert_eq!((told.field.as_str(), told.guardrail.is_approval()), ("/roles/0", true));
}

#[test]
fn a_long_life_and_no_networks_need_one() {
    let policy = policy(&spec(&[], &[]));
    let until = |days: i64| KeyFacts { expires_at: Some(NOW.plus(days * DAY)), ..key(&policy) };
    assert_eq!(names(&over("90d"), &key(&policy)), [GuardrailName::ApprovalLifetimeOver]);
    assert_eq!(names(&over("90d"), &until(91)), [GuardrailName::ApprovalLifetimeOver]);
    assert!(names(&over("90d"), &until(90)).is_empty());
    let guard = demanding(ApprovalGuardrails { without_networks: true, ..ApprovalGuardrails::default() });
    assert!(guard.asks_of_parents());
    assert_eq!(names(&guard, &until(1)), [GuardrailName::ApprovalWithoutNetworks]);
    let narrow = super::policy(&spec(&[], &["10.0.0.0/8"]));
    assert!(names(&guard, &key(&narrow)).is_empty());
}

/// Rotated on its last day, a key that was approved for a year would begin another one.
#[test]
fn an_approved_end_is_no_approved_length() {
    let guard = over("90d");
    let policy = policy(&spec(&[], &[]));
    let end = NOW.plus(365 * DAY);
    let old = guard.violations(&KeyFacts { expires_at: Some(end), ..key(&policy) });
    let later = NOW.plus(200 * DAY);
    let rotated = |end| KeyFacts { created_at: later, now: later, expires_at: Some(end), ..key(&policy) };
    assert!(new_or_worse(&old, guard.violations(&rotated(end))).is_empty());
    assert_eq!(new_or_worse(&old, guard.violations(&rotated(end.plus(1)))).len(), 1);
}

#[test]
fn the_stricter_of_both_holds() {
    let one = |over: &str| Guardrails {
        every_kind: KindGuardrails {
            approval: ApprovalGuardrails {
                lifetime_over: Some(over.into()),
                ..ApprovalGuardrails::default()
            },
            ..KindGuardrails::default()
        },
        ..Guardrails::default()
    };
    let policy = policy(&spec(&[], &[]));
    let facts = KeyFacts { expires_at: Some(NOW.plus(60 * DAY)), ..key(&policy) };
    for (top, own, needs) in [("90d", "30d", true), ("30d", "90d", true), ("90d", "90d", false)] {
        let guard = Guard::of(
            Some(layer(GuardrailScope::Organization, &one(top))),
            Some(layer(GuardrailScope::Project, &one(own))),
        );
        assert_eq!(!guard.violations(&facts).is_empty(), needs, "{top} {own}");
    }
}

#[test]
fn a_role_that_keys_hold_does_not_become_sensitive() {
    let given = |name: &str| {
        vec![Given {
            pattern: Pattern::parse(name).unwrap(),
            resources: None,
            field: "/permissions/0".into(),
        }]
    };
    let guard = sensitive();
    let found = guard.forbidden(KeyKind::Private, &given("zones.read"), &given("zones.*"));
    assert_eq!(found.len(), 1);
    assert!(found[0].fix.contains("another"), "{}", found[0].fix);
    assert!(guard.forbidden(KeyKind::Private, &given("zones.*"), &given("zones.delete")).is_empty());
}

#[test]
fn a_length_that_is_none_is_refused() {
    let approval = ApprovalGuardrails { lifetime_over: Some("soon".into()), ..ApprovalGuardrails::default() };
    let every_kind = KindGuardrails { approval, ..KindGuardrails::default() };
    let rules = Guardrails { every_kind, ..Guardrails::default() };
    let refused = Layer::compile(GuardrailScope::Project, &rules).unwrap_err();
    assert_eq!(refused.field, "/every_kind/approval/lifetime_over");
}
