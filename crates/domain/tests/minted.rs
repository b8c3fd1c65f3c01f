//! No sequence of minting and changing ever lets a minted key pass what its parent would not have
//! passed at that moment.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test's helpers fail by panicking")]

use keystead_api::{
    AnyOf, Check, CheckOutcome, Code, Endpoint, KeyKind, LimitSpec, NarrowedPermission, Networks,
    PermissionGrant, PermissionQuery,
};
use keystead_domain::cells::{Catalogue, Flags, Place, Principal, PrincipalState, ProjectCell};
use keystead_domain::conditions::ConditionCell;
use keystead_domain::decide::{Ask, Decision, decide};
use keystead_domain::digest::Digest;
use keystead_domain::effective::held_permissions;
use keystead_domain::entry::{Entry, Lineage, Switch};
use keystead_domain::explain::explain;
use keystead_domain::ids::{EnvironmentId, KeyId, OrganizationId, OwnerId, ProjectId, ServiceAccountId};
use keystead_domain::meter::{Meter, MeterRules};
use keystead_domain::pattern::PermissionSet;
use keystead_domain::policy::{Policy, PolicySpec};
use keystead_domain::query::Query;
use keystead_domain::reach::Reach;
use keystead_domain::special::{ParentCell, Special};
use keystead_domain::time::{Micros, SECOND};
use proptest::prelude::*;
use std::sync::Arc;

const NAMES: [&str; 4] = ["zones.read", "zones.write", "routes.read", "routes.write"];
const GIVEN: [&str; 6] = ["zones.read", "zones.*", "routes.read", "routes.write", "**", "*.read"];
const RESOURCES: [&str; 4] = ["zones/1", "zones/2", "zones/*", "**"];
const ORIGINS: [&str; 2] = ["https://a.example", "https://b.example"];
const START: i64 = 1_767_225_600_000_000;

fn place() -> Arc<Place> {
    let mut catalogue = Catalogue::default();
    for name in NAMES {
        catalogue.insert(name, Flags { public_safe: name.ends_with("read"), sensitive: false });
    }
    let project = Arc::new(ProjectCell {
        id: ProjectId([1; 16]),
        organization: OrganizationId([1; 16]),
        slug: "p".into(),
        system: false,
        resource: "projects/p".into(),
        prefix: Arc::new(Box::<str>::from("acme")).into(),
        catalogue: Arc::new(catalogue).into(),
        conditions: ConditionCell::default(),
    });
    Arc::new(Place {
        environment: EnvironmentId([1; 16]),
        slug: "e".into(),
        tag: "live".into(),
        resource: "projects/p/environments/e".into(),
        project,
    })
}

fn owner(ceiling: Option<&str>, disabled: bool) -> PrincipalState {
    PrincipalState {
        name: "o".into(),
        external_id: None,
        reach: ceiling
            .map_or(Reach::Anything, |name| Reach::Within(PermissionSet::parse(&[name.to_owned()]).unwrap())),
        disabled,
        rules: MeterRules::default(),
        meter: Arc::default(),
    }
}

/// Everything of a key that a test chooses.
#[derive(Debug, Clone)]
struct Choice {
    kind: KeyKind,
    given: Vec<(usize, Option<usize>)>,
    networks: Option<bool>,
    origins: Vec<usize>,
    endpoint: bool,
    limit: Option<u64>,
    switch: Switch,
    window: (i64, i64),
    suspended: i64,
}

fn choice() -> impl Strategy<Value = Choice> {
    let kind = prop_oneof![4 => Just(KeyKind::Private), 1 => Just(KeyKind::Public)];
    let given = proptest::collection::vec((0..GIVEN.len(), proptest::option::of(0..RESOURCES.len())), 0..4);
    let switch = prop_oneof![6 => Just(Switch::On), 1 => Just(Switch::Off), 1 => Just(Switch::Revoked)];
    let narrowing = (
        proptest::option::weighted(0.3, any::<bool>()),
        proptest::collection::vec(0..ORIGINS.len(), 0..2),
        proptest::bool::weighted(0.2),
        proptest::option::weighted(0.3, 1_u64..4),
    );
    (kind, given, narrowing, switch, (-20_i64..20, 0_i64..60), -40_i64..20).prop_map(
        |(kind, given, (networks, origins, endpoint, limit), switch, window, suspended)| Choice {
            kind,
            given,
            networks,
            origins,
            endpoint,
            limit,
            switch,
            window,
            suspended,
        },
    )
}

impl Choice {
    fn spec(&self) -> PolicySpec {
        let grant = |(name, resource): &(usize, Option<usize>)| match resource {
            None => PermissionGrant::Everywhere(GIVEN[*name].into()),
            Some(resource) => PermissionGrant::Narrowed(NarrowedPermission {
                permission: GIVEN[*name].into(),
                resources: vec![RESOURCES[*resource].into()],
            }),
        };
        let allow = |ours: bool| if ours { "192.0.2.0/25" } else { "192.0.2.0/24" };
        PolicySpec {
            permissions: self.given.iter().map(grant).collect(),
            restrictions: keystead_api::Restrictions {
                networks: self
                    .networks
                    .map(|ours| Networks { allow: vec![allow(ours).into()], deny: vec![] }),
                origins: self.origins.iter().map(|origin| ORIGINS[*origin].into()).collect(),
                endpoints: if self.endpoint {
                    vec![Endpoint { methods: vec!["GET".into()], path: "/v1/*".into() }]
                } else {
                    Vec::new()
                },
                ..keystead_api::Restrictions::default()
            },
            limits: self
                .limit
                .map(|limit| LimitSpec { name: "l".into(), limit, window: "1h".into(), burst: None })
                .into_iter()
                .collect(),
            ..PolicySpec::default()
        }
    }

    fn entry(&self, id: &[u8; 12], world: &World, parent: Option<&Arc<ParentCell>>) -> Entry {
        let mut spec = self.spec();
        if parent.is_some() {
            spec.limits.clear();
        }
        let policy = Policy::compile(&spec, |_| None).unwrap();
        let special =
            parent.map(|parent| Arc::new(Special { minted: Some(Arc::clone(parent)), ..Special::default() }));
        let id = KeyId::from_slice(id).unwrap();
        Entry {
            id,
            pepper: 1,
            switch: self.switch,
            kind: if parent.is_some() { KeyKind::Temporary } else { self.kind },
            digest: Digest::from_bytes([0; 32]),
            not_before: Micros(START + self.window.0 * SECOND),
            expires_at: Micros(START + (self.window.0 + self.window.1) * SECOND),
            suspended_until: Micros(START + self.suspended * SECOND),
            place: Arc::clone(&world.place),
            owner: Arc::clone(&world.owner),
            consumer: None,
            lineage: Arc::new(Lineage::new(id, Meter::new(&policy.rules))),
            policy: Arc::new(policy),
            special,
        }
    }
}

struct World {
    place: Arc<Place>,
    owner: Arc<Principal>,
}

/// One step of a story.
#[derive(Debug, Clone)]
enum Step {
    ChangeParent(Choice),
    PurgeParent,
    ChangeChild(Choice),
    Ceiling(Option<usize>, bool),
    Wait(i64),
    Ask { permission: (usize, Option<usize>), resource: usize, ip: u8, origin: usize, path: bool },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => choice().prop_map(Step::ChangeParent),
        1 => Just(Step::PurgeParent),
        2 => choice().prop_map(Step::ChangeChild),
        1 => (proptest::option::of(0..GIVEN.len()), proptest::bool::weighted(0.1))
            .prop_map(|(ceiling, disabled)| Step::Ceiling(ceiling, disabled)),
        1 => (1_i64..9).prop_map(Step::Wait),
        9 => ((0..NAMES.len(), proptest::option::of(0..NAMES.len())), 0..3_usize, any::<u8>(), 0..3_usize, any::<bool>())
            .prop_map(|(permission, resource, ip, origin, path)| Step::Ask { permission, resource, ip, origin, path }),
    ]
}

fn failed(checks: &[Check]) -> Option<Code> {
    checks
        .iter()
        .find(|check| check.outcome == CheckOutcome::Failed && check.code.is_some())
        .and_then(|check| check.code)
}

/// What the parent says to the same request now, limits included, taking nothing.
fn verdict(entry: &Entry, ask: &Ask<'_>, now: Micros) -> Code {
    failed(&explain(entry, ask, now)).unwrap_or(Code::Valid)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_minted_key_never_passes_what_its_parent_would_not(
        (parent, child) in (choice(), choice()),
        steps in proptest::collection::vec(step(), 1..30),
    ) {
        let organization = OrganizationId([1; 16]);
        let owner_id = OwnerId::ServiceAccount(ServiceAccountId([1; 16]));
        let owner_cell = Principal { id: owner_id, organization, state: Arc::new(owner(None, false)).into() };
        let world = World { place: place(), owner: Arc::new(owner_cell) };
        let mut of = Some(parent.entry(b"aaaaaaaaaaaa", &world, None));
        let cell = Arc::new(ParentCell::new(KeyId::from_slice(b"aaaaaaaaaaaa").unwrap(), of.clone()));
        let mut minted = child.entry(b"bbbbbbbbbbbb", &world, Some(&cell));
        let mut now = Micros(START);
        for step in steps {
            match step {
                Step::ChangeParent(choice) => {
                    of = Some(choice.entry(b"aaaaaaaaaaaa", &world, None));
                    cell.set(of.clone());
                }
                Step::PurgeParent => {
                    of = None;
                    cell.set(None);
                }
                Step::ChangeChild(choice) => minted = choice.entry(b"bbbbbbbbbbbb", &world, Some(&cell)),
                Step::Ceiling(ceiling, disabled) => {
                    world.owner.state.store(Arc::new(owner(ceiling.map(|name| GIVEN[name]), disabled)));
                }
                Step::Wait(seconds) => now = now.plus(seconds * SECOND),
                Step::Ask { permission: (one, other), resource, ip, origin, path } => {
                    let named = |name: usize| PermissionQuery::One(NAMES[name].into());
                    let asked = match other {
                        None => named(one),
                        Some(other) => PermissionQuery::Any(AnyOf { any: vec![named(one), named(other)] }),
                    };
                    let query = Query::parse(&asked).unwrap();
                    let ask = Ask {
                        ip: (ip > 20).then(|| [192, 0, 2, ip].into()),
                        method: Some("GET"),
                        path: path.then_some("/v1/x"),
                        origin: ORIGINS.get(origin).copied(),
                        resource: ["zones/1", "zones/2"].get(resource).copied(),
                        permissions: Some(&query),
                        cost: 1,
                        ..Ask::default()
                    };
                    let explained = failed(&explain(&minted, &ask, now)).unwrap_or(Code::Valid);
                    let of_parent = of.as_ref().map_or(Code::Revoked, |parent| verdict(parent, &ask, now));
                    let listed = held_permissions(&minted);
                    let Decision::Made(made) = decide(&minted, &ask, now) else { panic!("nothing is leased here") };
                    prop_assert_eq!(made.code, explained, "what is explained is what was decided");
                    if made.code == Code::Valid {
                        prop_assert_eq!(of_parent, Code::Valid);
                    }
                    // Nor does a list say more than its parent's.
                    let everything = of.as_ref().map(held_permissions).unwrap_or_default().0;
                    prop_assert!(listed.0.iter().all(|name| everything.contains(name)));
                    for held in &listed.1 {
                        for on in &held.resources {
                            let on = on.replace("**", "zones/9").replace('*', "9");
                            prop_assert!(minted.may(&held.permission, Some(&on)), "{} on {on}", held.permission);
                        }
                    }
                }
            }
        }
    }
}
