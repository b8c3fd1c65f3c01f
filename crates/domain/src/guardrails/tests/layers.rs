//! Layers only ever add refusals, whatever they say.

use super::*;
use keystead_api::ApprovalGuardrails;
use proptest::prelude::*;

fn any_kind_rules() -> impl Strategy<Value = KindGuardrails> {
    let span = || prop::option::of((1_u32..40).prop_map(|days| format!("{days}d")));
    let forbidden = prop::collection::vec("(a|b|\\*)(\\.(a|b|\\*))?", 0..3);
    let approval = (span(), any::<bool>()).prop_map(|(lifetime_over, without_networks)| ApprovalGuardrails {
        sensitive_permissions: false,
        lifetime_over,
        without_networks,
    });
    (span(), any::<[bool; 3]>(), forbidden, span(), approval).prop_map(
        |(lifetime_max, [expiry_required, networks_required, limits_required], forbidden, age, approval)| {
            KindGuardrails {
                lifetime_max,
                expiry_required,
                networks_required,
                limits_required,
                permissions_forbidden: forbidden,
                rotation_age_max: age,
                approval,
            }
        },
    )
}

fn any_rules() -> impl Strategy<Value = Guardrails> {
    let kinds = prop::option::of(prop::sample::subsequence(KeyKind::ALL.to_vec(), 0..=KeyKind::ALL.len()));
    let prefixes = prop::option::of(prop::collection::vec("(a|b)\\*?|\\*", 0..3));
    let by_kind =
        prop::collection::btree_map(prop::sample::select(KeyKind::ALL.to_vec()), any_kind_rules(), 0..3);
    (kinds, prefixes, prop::option::of(1_u32..5), any_kind_rules(), by_kind).prop_map(
        |(kinds_allowed, prefixes_allowed, keys_per_owner_max, every_kind, by_kind)| Guardrails {
            kinds_allowed,
            prefixes_allowed,
            keys_per_owner_max,
            every_kind,
            by_kind,
            ..Guardrails::default()
        },
    )
}

proptest! {
    /// The organization's cannot be loosened by a project's: both together never allow what either
    /// refuses, and never refuse what both allow.
    #[test]
    fn together_they_refuse_exactly_what_either_refuses(
        organization in any_rules(), project in any_rules(),
        kind in prop::sample::select(KeyKind::ALL.to_vec()), prefix in "[ab]{1,2}",
        permissions in prop::collection::vec("(a|b|\\*)(\\.(a|b|\\*\\*))?", 0..3),
        flags in any::<[bool; 2]>(), age in 0_i64..60, life in prop::option::of(1_i64..60),
        keys in prop::option::of(1_u64..6),
    ) {
        let names: Vec<&str> = permissions.iter().map(String::as_str).collect();
        let spec = spec(&names, if flags[0] { &["192.0.2.0/24"] } else { &[] });
        let policy = PolicyFacts { has_limits: flags[1], ..policy(&spec) };
        let created_at = NOW.plus(-age * DAY);
        let facts = KeyFacts {
            kind,
            prefix: Some(&prefix),
            created_at,
            expires_at: life.map(|days| created_at.plus(days * DAY)),
            keys_of_owner: keys,
            ..key(&policy)
        };
        let layers =
            [layer(GuardrailScope::Organization, &organization), layer(GuardrailScope::Project, &project)];
        let [top, own] = layers.map(Some);
        let together = Guard::of(top.clone(), own.clone()).violations(&facts);
        let from = |found: &[Violation], scope| -> Vec<Violation> {
            found.iter().filter(|one| one.told.from == scope).cloned().collect()
        };
        let alone = Guard::of(top, None).violations(&facts);
        let projects = Guard::of(None, own).violations(&facts);
        for scope in [GuardrailScope::BuiltIn, GuardrailScope::Organization] {
            prop_assert_eq!(from(&together, scope), from(&alone, scope));
        }
        prop_assert_eq!(from(&together, GuardrailScope::Project), from(&projects, GuardrailScope::Project));
        // What does not change is never new, and from nothing everything is.
        prop_assert!(new_or_worse(&together, together.clone()).is_empty());
        prop_assert_eq!(new_or_worse(&[], together.clone()).is_empty(), together.is_empty());
    }
}
