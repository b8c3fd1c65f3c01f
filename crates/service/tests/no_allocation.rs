//! Verifying allocates nothing, whatever the verdict: counted by an allocator that counts.
#![allow(clippy::unwrap_used, reason = "what is built here is built for the tests below")]

use keystead_api::{
    Code, Endpoint, GuardLimit, KeyKind, LimitPer, LimitSpec, Networks, PermissionGrant, PermissionQuery,
    QuotaPeriod, QuotaSpec,
};
use keystead_domain::cells::{Catalogue, Flags, Place, Principal, PrincipalState, ProjectCell};
use keystead_domain::conditions::ConditionCell;
use keystead_domain::decide::{Ask, Decision};
use keystead_domain::digest::Pepper;
use keystead_domain::entry::{Entry, Lineage, Switch};
use keystead_domain::ids::{
    AccessPolicyId, EnvironmentId, KeyId, OrganizationId, OwnerId, ProjectId, ServiceAccountId,
};
use keystead_domain::lease::Leased;
use keystead_domain::meter::{Account, Meter, MeterRules};
use keystead_domain::policy::{Policy, PolicySpec};
use keystead_domain::query::Query;
use keystead_domain::reach::Reach;
use keystead_domain::route_limits::{AtRoute, RouteLimit};
use keystead_domain::time::Micros;
use keystead_domain::token::PlainKey;
use keystead_policies::{AccessPolicy, Known, Language, Rules, Source};
use keystead_service::keyring::{Keyring, Scope};
use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;
use std::sync::{Arc, LazyLock};

const ORGANIZATION: OrganizationId = OrganizationId([1; 16]);
const SCOPE: Scope = Scope::Within { organization: ORGANIZATION, project: None, environment: None };
const NOW: Micros = Micros(1_767_225_600_000_000);

fn place() -> Arc<Place> {
    let mut catalogue = Catalogue::default();
    catalogue.insert("zones.read", Flags::default());
    let project = ProjectCell {
        id: ProjectId([2; 16]),
        organization: ORGANIZATION,
        slug: "registry".into(),
        system: false,
        resource: "projects/registry".into(),
        prefix: Arc::new(Box::<str>::from("acme")).into(),
        catalogue: Arc::new(catalogue).into(),
        conditions: ConditionCell::default(),
    };
    Arc::new(Place {
        environment: EnvironmentId([3; 16]),
        slug: "production".into(),
        tag: "live".into(),
        resource: "projects/registry/environments/production".into(),
        project: Arc::new(project),
    })
}

/// A principal with limits of its own, which only a consumer's count.
fn principal(id: OwnerId, limits: &[LimitSpec]) -> Arc<Principal> {
    let rules = MeterRules::compile(limits, None, None).unwrap();
    let state = PrincipalState {
        name: "somebody".into(),
        external_id: None,
        reach: Reach::Anything,
        disabled: false,
        meter: Arc::new(Meter::new(&rules)),
        rules,
    };
    Arc::new(Principal { id, organization: ORGANIZATION, state: Arc::new(state).into() })
}

fn limit(name: &str, limit: u64) -> LimitSpec {
    LimitSpec { name: name.into(), limit, window: "1h".into(), burst: None }
}

/// Puts a key with these limits into the keyring; its token.
fn put(keyring: &Keyring, seed: u64, limits: &[LimitSpec], quota: bool) -> String {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let id = KeyId::random(&mut rng);
    let key = PlainKey::mint("acme", "live", id, &mut rng);
    let spec = PolicySpec {
        permissions: vec![PermissionGrant::Everywhere("zones.*".into())],
        restrictions: keystead_api::Restrictions {
            networks: Some(Networks { allow: vec!["10.0.0.0/8".into()], deny: vec!["10.9.0.0/16".into()] }),
            endpoints: vec![Endpoint { methods: vec!["GET".into()], path: "/v1/zones/*".into() }],
            ..keystead_api::Restrictions::default()
        },
        limits: limits.to_vec(),
        quota: quota.then_some(QuotaSpec { limit: 1_000, per: QuotaPeriod::Day, time_zone: None }),
        ..PolicySpec::default()
    };
    let policy = Policy::compile(&spec, |_| None).unwrap();
    let meter = Meter::new(&policy.rules);
    meter.add(Account::Quota, Leased { taken: 100, beyond: 900, valid_until: Micros::FOREVER });
    let pepper = keyring.current_pepper().unwrap();
    let consumer = keystead_domain::ids::ConsumerId([5; 16]);
    keyring.put(Entry {
        id,
        pepper: 1,
        switch: Switch::On,
        kind: KeyKind::Private,
        digest: pepper.digest(ORGANIZATION, id, &key.token().unwrap()),
        not_before: Micros(i64::MIN),
        expires_at: Micros::FOREVER,
        suspended_until: Micros(i64::MIN),
        place: place(),
        owner: principal(OwnerId::ServiceAccount(ServiceAccountId([4; 16])), &[]),
        consumer: quota.then(|| principal(OwnerId::Consumer(consumer), &[limit("plan", 1_000)])),
        policy: Arc::new(policy),
        lineage: Arc::new(Lineage::new(id, meter)),
        special: None,
    });
    key.expose().to_owned()
}

/// The verdict, which must cost no allocation. The first of each kind may start what starts lazily.
fn judge(keyring: &Keyring, token: &str, ask: &Ask<'_>) -> Code {
    let mut code = Code::Unavailable;
    for count_max in [u64::MAX, 0] {
        let counted = allocation_counter::measure(|| {
            code = match keyring.verify(&SCOPE, token, ask, NOW, |decision, _| decision) {
                Ok(Decision::Made(verdict)) => verdict.code,
                Ok(Decision::NeedsLease(_)) => Code::Unavailable,
                Err(code) => code,
            };
        });
        assert!(counted.count_total <= count_max, "{code}: {} allocations", counted.count_total);
    }
    code
}

#[test]
fn no_verdict_allocates() {
    let keyring = Keyring::new(vec![Pepper::new(1, &[7; 32])]);
    let query = Query::parse(&PermissionQuery::One("zones.read".into())).unwrap();
    let other = Query::parse(&PermissionQuery::One("routes.read".into())).unwrap();
    let ask = Ask {
        ip: Some("10.1.2.3".parse().unwrap()),
        method: Some("GET"),
        path: Some("/v1/zones/7"),
        origin: None,
        resource: None,
        permissions: Some(&query),
        cost: 1,
        ..Ask::default()
    };
    let plain = put(&keyring, 1, &[limit("a", 1_000)], false);
    let wide = put(&keyring, 2, &[limit("a", 1_000), limit("b", 2_000)], true);
    let tight = put(&keyring, 3, &[limit("a", 1)], false);
    let tight_wide = put(&keyring, 4, &[limit("a", 1_000), limit("b", 1)], true);
    let secret = PlainKey::mint(
        "acme",
        "live",
        KeyId::from_slice(&plain.as_bytes()[10..22]).unwrap(),
        &mut ChaCha8Rng::seed_from_u64(9),
    );
    let mut rng = ChaCha8Rng::seed_from_u64(10);
    let unknown = PlainKey::mint("acme", "live", KeyId::random(&mut rng), &mut rng);

    assert_eq!(judge(&keyring, &plain, &ask), Code::Valid);
    assert_eq!(judge(&keyring, &wide, &ask), Code::Valid);
    assert_eq!(judge(&keyring, secret.expose(), &ask), Code::WrongSecret);
    assert_eq!(judge(&keyring, unknown.expose(), &ask), Code::NotFound);
    for malformed in ["", "acme_live_", &plain[..59], &"x".repeat(10_000)] {
        assert_eq!(judge(&keyring, malformed, &ask), Code::Malformed);
    }
    let foreign = Ask { ip: Some("10.9.1.1".parse().unwrap()), ..ask };
    assert_eq!(judge(&keyring, &plain, &foreign), Code::NetworkDenied);
    assert_eq!(judge(&keyring, &plain, &Ask { path: Some("/v1/zones/../x"), ..ask }), Code::EndpointDenied);
    assert_eq!(
        judge(&keyring, &plain, &Ask { permissions: Some(&other), ..ask }),
        Code::InsufficientPermissions
    );
    assert_eq!(judge(&keyring, &tight, &ask), Code::RateLimited);
    assert_eq!(judge(&keyring, &tight_wide, &ask), Code::RateLimited);
}

/// Counters of a route are made when they are first needed, and then cost nothing.
#[test]
fn limits_of_a_route_allocate_once() {
    let keyring = Keyring::new(vec![Pepper::new(1, &[7; 32])]);
    let per = [LimitPer::Key, LimitPer::Consumer, LimitPer::All, LimitPer::Address];
    let name = |per: &LimitPer| format!("{per:?}").to_lowercase();
    let spec = |per: &LimitPer| GuardLimit {
        name: name(per),
        limit: 3,
        window: "1h".into(),
        burst: None,
        per: *per,
    };
    let limits: Vec<_> = per.iter().map(spec).collect();
    let (limits, cells) = (RouteLimit::list("GET /v1/zones/*", &limits, false).unwrap(), Arc::default());
    let route = AtRoute { limits: &limits, cells: &cells, environment: EnvironmentId([3; 16]) };
    let ask = Ask {
        ip: Some("10.1.2.3".parse().unwrap()),
        method: Some("GET"),
        path: Some("/v1/zones/7"),
        cost: 1,
        route: Some(&route),
        ..Ask::default()
    };
    let plain = put(&keyring, 1, &[], false);
    let wide = put(&keyring, 2, &[limit("a", 1_000), limit("b", 2_000)], true);
    assert_eq!(judge(&keyring, &plain, &ask), Code::Valid);
    // What counts everybody, and this address, has one left: the second look is refused.
    assert_eq!(judge(&keyring, &wide, &ask), Code::RateLimited);
    assert_eq!(cells.len(), 6);
}

static LANGUAGE: LazyLock<Language> = LazyLock::new(|| Language::new([]).unwrap());

/// Puts a policy in force for a key's project.
fn enforce(keyring: &Keyring, token: &str, text: &str) {
    let source = Source { id: AccessPolicyId([6; 16]), project: None, name: "a", text, version: 1 };
    let policy = Arc::new(AccessPolicy::new(&LANGUAGE, source));
    assert_eq!(policy.mistakes(), []);
    let rules = Rules::new(&LANGUAGE, vec![policy], Arc::new(Known::default()), Arc::new(|_, _, _| None));
    let entry = keyring.find(&SCOPE, token, NOW).unwrap();
    let project = &entry.place.project;
    project.conditions.set(Arc::new(rules).conditions(project.id, project.system));
    assert!(project.conditions.is_any());
}

/// Keys that no policy is about, and keys of which is known what those say that look at no request.
#[test]
fn policies_allocate_only_where_they_look_at_the_request() {
    let keyring = Keyring::new(vec![Pepper::new(1, &[7; 32])]);
    let query = Query::parse(&PermissionQuery::One("zones.read".into())).unwrap();
    let ask = Ask {
        ip: Some("10.1.2.3".parse().unwrap()),
        method: Some("GET"),
        path: Some("/v1/zones/7"),
        permissions: Some(&query),
        cost: 1,
        ..Ask::default()
    };
    let token = put(&keyring, 1, &[limit("a", 1_000)], false);
    let forbid = |principal: &str, condition: &str| {
        format!("forbid ({principal}, action == Action::\"verify\", resource) {condition};")
    };
    let team = format!("principal in Team::\"{}\"", keystead_domain::ids::TeamId([8; 16]));
    let ci = "when { principal.tags.contains(\"ci\") && context.hour > 3 }";
    for (text, code) in [
        (forbid(&team, "when { context.hour > 3 }"), Code::Valid),
        (forbid("principal is Key", ci), Code::Valid),
        (forbid("principal is Key", "unless { principal.tags.contains(\"ci\") }"), Code::ConditionDenied),
    ] {
        enforce(&keyring, &token, &text);
        assert_eq!(judge(&keyring, &token, &ask), code, "{text}");
    }
}
