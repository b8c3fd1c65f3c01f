//! What a caller covers, it may do: asked of every name and resource of a small world.

use super::*;
use keystead_api::KeyKind;
use keystead_domain::cells::{Catalogue, Flags, Place, Principal, PrincipalState, ProjectCell, RoleCell};
use keystead_domain::conditions::ConditionCell;
use keystead_domain::digest::Digest;
use keystead_domain::entry::{Lineage, Switch};
use keystead_domain::ids::{
    ConsumerId, EnvironmentId, KeyId, OrganizationId, OwnerId, ProjectId, RoleId, ServiceAccountId,
};
use keystead_domain::meter::{Meter, MeterRules};
use keystead_domain::pattern::PermissionSet;
use keystead_domain::policy::{Given, Grant, Policy};
use keystead_domain::reach::Reach;
use keystead_domain::restrictions::Restrictions;
use keystead_domain::time::Micros;
use proptest::prelude::*;
use std::sync::Arc;

const NAMES: &[&str] = &["a", "b", "a.a", "a.b", "b.a", "b.b", "a.a.a", "a.b.a", "b.b.b"];
const RESOURCES: &[&str] = &["p", "q", "p/1", "p/2", "q/1", "p/1/e", "p/2/e", "q/1/e"];

/// What a caller has: each grant's pattern, whether through a role, and its resources.
pub(crate) type Held = (&'static str, bool, Option<Vec<&'static str>>);

fn set(patterns: &[&str]) -> PermissionSet {
    let texts: Vec<String> = patterns.iter().map(ToString::to_string).collect();
    PermissionSet::parse(&texts).unwrap()
}

fn resources(texts: &[&str]) -> Box<[ResourcePattern]> {
    texts.iter().map(|text| ResourcePattern::parse(text).unwrap()).collect()
}

fn grant((text, through_role, on): &Held) -> Grant {
    let given = if *through_role {
        Given::Role(Arc::new(RoleCell {
            id: RoleId([1; 16]),
            name: "role".into(),
            permissions: Arc::new(set(&[text])).into(),
        }))
    } else {
        Given::Permission(Pattern::parse(text).unwrap())
    };
    Grant { given, resources: on.as_ref().map(|on| resources(on)) }
}

fn principal(id: OwnerId, ceiling: Option<&[&str]>) -> Arc<Principal> {
    let state = PrincipalState {
        name: "principal".into(),
        external_id: None,
        reach: ceiling.map_or(Reach::Anything, |ceiling| Reach::Within(set(ceiling))),
        disabled: false,
        rules: MeterRules::default(),
        meter: Arc::default(),
    };
    Arc::new(Principal { id, organization: OrganizationId([1; 16]), state: Arc::new(state).into() })
}

pub(crate) fn entry(held: &[Held], owner: Option<&[&str]>, consumer: Option<&[&str]>) -> Entry {
    let mut catalogue = Catalogue::default();
    for name in NAMES {
        catalogue.insert(name, Flags::default());
    }
    let project = Arc::new(ProjectCell {
        id: ProjectId([1; 16]),
        organization: OrganizationId([1; 16]),
        slug: "keystead".into(),
        system: true,
        resource: "projects/system".into(),
        prefix: Arc::new(Box::<str>::from("acme")).into(),
        catalogue: Arc::new(catalogue).into(),
        conditions: ConditionCell::default(),
    });
    let id = KeyId::from_slice(b"000000000001").unwrap();
    Entry {
        id,
        pepper: 1,
        switch: Switch::On,
        kind: KeyKind::Private,
        digest: Digest::from_bytes([0; 32]),
        not_before: Micros(i64::MIN),
        expires_at: Micros::FOREVER,
        suspended_until: Micros(i64::MIN),
        place: Arc::new(Place {
            environment: EnvironmentId([1; 16]),
            slug: "production".into(),
            tag: "live".into(),
            resource: "projects/system/environments/production".into(),
            project,
        }),
        owner: principal(OwnerId::ServiceAccount(ServiceAccountId([1; 16])), owner),
        consumer: Some(principal(OwnerId::Consumer(ConsumerId([1; 16])), consumer)),
        policy: Arc::new(Policy {
            grants: held.iter().map(grant).collect(),
            restrictions: Restrictions::default(),
            rules: MeterRules::default(),
        }),
        lineage: Arc::new(Lineage::new(id, Meter::default())),
        special: None,
    }
}

fn covered(entry: &Entry, pattern: &str, on: Option<&[&str]>) -> bool {
    let on = on.map(resources);
    covers(entry, &Pattern::parse(pattern).unwrap(), on.as_deref())
}

#[test]
fn an_unnarrowed_grant_covers_everywhere_and_a_narrowed_one_only_there() {
    let unnarrowed = entry(&[("a.**", false, None)], None, None);
    assert!(covered(&unnarrowed, "a.*", None));
    assert!(covered(&unnarrowed, "a.b", Some(&["p/**", "q"])));
    assert!(!covered(&unnarrowed, "**", None));

    let narrowed = entry(&[("a.**", false, Some(vec!["p/**"])), ("a.b", true, Some(vec!["q"]))], None, None);
    assert!(!covered(&narrowed, "a.b", None));
    assert!(covered(&narrowed, "a.*", Some(&["p/1", "p/*/e"])));
    assert!(covered(&narrowed, "a.b", Some(&["p", "q"])));
    assert!(!covered(&narrowed, "a.*", Some(&["p", "q"])));
    assert!(!covered(&narrowed, "a.b", Some(&["*"])));
}

#[test]
fn ceilings_cover_too() {
    let held: &[Held] = &[("**", false, None)];
    assert!(covered(&entry(held, None, None), "**", None));
    assert!(!covered(&entry(held, Some(&["a.**"]), None), "**", None));
    assert!(!covered(&entry(held, None, Some(&["a.**"])), "b.a", None));
    assert!(covered(&entry(held, Some(&["a.**"]), Some(&["*.b"])), "a.b", None));
    assert!(!covered(&entry(held, Some(&[]), None), "a", None));
}

/// An empty list reads as "everywhere" in some stored grants.
#[test]
fn an_empty_list_of_resources_is_never_covered() {
    assert!(!covered(&entry(&[("**", false, None)], None, None), "a", Some(&[])));
}

const PATTERNS: &[&str] =
    &["a", "b", "a.a", "a.b", "b.b", "*", "a.*", "b.*", "*.a", "*.*", "a.**", "*.b.**", "**"];
const PLACES: &[&str] = &["p", "q", "p/1", "p/*", "*/1", "p/**", "*/*", "p/*/e", "p/1/**", "**", "*/**"];

fn patterns() -> impl Strategy<Value = &'static str> {
    prop::sample::select(PATTERNS)
}

fn places() -> impl Strategy<Value = Vec<&'static str>> {
    prop::collection::vec(prop::sample::select(PLACES), 1..4)
}

fn held() -> impl Strategy<Value = Vec<Held>> {
    prop::collection::vec((patterns(), any::<bool>(), prop::option::of(places())), 0..5)
}

fn ceiling() -> impl Strategy<Value = Option<Vec<&'static str>>> {
    prop::option::weighted(0.4, prop::collection::vec(patterns(), 0..4))
}

proptest! {
    /// Whoever holds what was given may do nothing that the giver may not.
    #[test]
    fn what_is_covered_the_caller_may_do(
        held in held(),
        owner in ceiling(),
        consumer in ceiling(),
        on in prop::option::of(places()),
    ) {
        let giver = entry(&held, owner.as_deref(), consumer.as_deref());
        for given in PATTERNS {
            if !covered(&giver, given, on.as_deref()) {
                continue;
            }
            let taker = entry(&[(given, false, on.clone())], None, None);
            for name in NAMES {
                for resource in RESOURCES.iter().map(|text| Some(*text)).chain([None]) {
                    if taker.may(name, resource) {
                        prop_assert!(giver.may(name, resource), "{} on {:?}", name, resource);
                    }
                }
            }
        }
    }

    /// Whoever has something unnarrowed and unlimited can pass it on.
    #[test]
    fn one_s_own_unnarrowed_grants_are_covered(held in held(), given in patterns(), on in prop::option::of(places())) {
        let mut held = held;
        held.push((given, false, None));
        prop_assert!(covered(&entry(&held, None, None), given, on.as_deref()));
    }
}
