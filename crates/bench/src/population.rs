//! A keyring filled through its public interface: many keys, 1,000 distinct policies.

use anyhow::{Context, Result, anyhow};
use keystead_api::{Endpoint, KeyKind, LimitSpec, Networks, PermissionGrant, PermissionQuery};
use keystead_domain::cells::{Catalogue, Flags, Place, Principal, PrincipalState, ProjectCell};
use keystead_domain::conditions::ConditionCell;
use keystead_domain::decide::Ask;
use keystead_domain::digest::Pepper;
use keystead_domain::entry::{Entry, Lineage, Switch};
use keystead_domain::ids::{EnvironmentId, KeyId, OrganizationId, OwnerId, ProjectId, ServiceAccountId};
use keystead_domain::invalid::Invalid;
use keystead_domain::meter::{Meter, MeterRules};
use keystead_domain::policy::{Policy, PolicySpec};
use keystead_domain::query::Query;
use keystead_domain::reach::Reach;
use keystead_domain::time::Micros;
use keystead_domain::token::PlainKey;
use keystead_service::keyring::{Keyring, Scope};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

/// Distinct policies.
pub const POLICIES: u32 = 1_000;
/// Service accounts that own the keys.
const OWNERS: u8 = 200;
/// Bytes of each token: `acme_live_` and its body.
pub const TOKEN_BYTES: usize = 60;
/// The permission that every request asks for.
pub const PERMISSION: &str = "zones.read";
/// Where it asks to go.
pub const PATH: &str = "/v1/zones/17";
/// Where it comes from.
pub const IP: Ipv4Addr = Ipv4Addr::new(10, 20, 30, 40);

const PEPPER: [u8; 32] = [7; 32];
/// Whose all keys are.
pub const ORGANIZATION: OrganizationId = OrganizationId([1; 16]);
const PROJECT: ProjectId = ProjectId([2; 16]);
const ENVIRONMENT: EnvironmentId = EnvironmentId([3; 16]);

/// The `number`th policy as it is stored: permissions, one network, one endpoint, one limit.
#[must_use]
pub fn policy(number: u32) -> PolicySpec {
    let permission = |name: String| PermissionGrant::Everywhere(name);
    PolicySpec {
        permissions: vec![
            permission(PERMISSION.into()),
            permission("zones.write".into()),
            permission(format!("area-{number}.read")),
        ],
        restrictions: keystead_api::Restrictions {
            networks: Some(Networks { allow: vec!["10.0.0.0/8".into()], deny: vec![] }),
            endpoints: vec![Endpoint { methods: vec!["GET".into()], path: "/v1/zones/*".into() }],
            ..keystead_api::Restrictions::default()
        },
        limits: vec![LimitSpec {
            name: "requests".into(),
            limit: 1_000_000_000 - u64::from(number),
            window: "1s".into(),
            burst: None,
        }],
        ..PolicySpec::default()
    }
}

/// The names that these policies give.
pub fn permission_names() -> impl Iterator<Item = String> {
    [PERMISSION.to_owned(), "zones.write".to_owned()]
        .into_iter()
        .chain((0..POLICIES).map(|number| format!("area-{number}.read")))
}

/// The permission that every request asks for, read.
///
/// # Errors
/// Never: the name is a good one.
pub fn query() -> Result<Query> {
    Query::parse(&PermissionQuery::One(PERMISSION.into())).map_err(|invalid| because(&invalid))
}

/// What every request says of itself.
#[must_use]
pub fn ask(query: &Query) -> Ask<'_> {
    Ask {
        ip: Some(IpAddr::V4(IP)),
        method: Some("GET"),
        path: Some(PATH),
        origin: None,
        resource: None,
        permissions: Some(query),
        cost: 1,
        ..Ask::default()
    }
}

/// In which keys every request looks.
pub const SCOPE: Scope =
    Scope::Within { organization: ORGANIZATION, project: Some(PROJECT), environment: Some(ENVIRONMENT) };

/// When all requests come.
pub const NOW: Micros = Micros(1_767_225_600_000_000);

/// What is digested for a token: the same bytes that verification digests.
pub fn message(token: &str, into: &mut Vec<u8>) {
    let id = token.len().saturating_sub(50);
    into.extend_from_slice(&ORGANIZATION.0);
    into.extend_from_slice(token.as_bytes().get(id..id + 12).unwrap_or_default());
    into.extend_from_slice(token.as_bytes());
}

/// The secret of the digests.
#[must_use]
pub const fn pepper() -> [u8; 32] {
    PEPPER
}

/// Fills a keyring with `keys` keys; each token goes to `token`.
///
/// # Errors
/// When a policy does not compile.
pub fn fill(keys: usize, mut token: impl FnMut(&str)) -> Result<Keyring> {
    let keyring = Keyring::new(vec![Pepper::new(1, &PEPPER)]);
    let (place, owners, policies) =
        (share_place(&keyring), share_owners(&keyring), share_policies(&keyring)?);
    keyring.reserve(keys);
    let pepper = keyring.current_pepper().context("the keyring has a pepper")?;
    let mut rng = ChaCha8Rng::seed_from_u64(u64::try_from(keys)?);
    for number in 0..keys {
        let id = KeyId::random(&mut rng);
        let key = PlainKey::mint("acme", "live", id, &mut rng);
        let digest = pepper.digest(ORGANIZATION, id, &key.token().context("a minted key is a token")?);
        token(key.expose());
        let draw = usize::try_from(rng.next_u32())?;
        let policy = policies.get(draw % policies.len()).context("a policy")?;
        keyring.put(Entry {
            id,
            pepper: 1,
            switch: Switch::On,
            kind: KeyKind::Private,
            digest,
            not_before: Micros(i64::MIN),
            expires_at: Micros::FOREVER,
            suspended_until: Micros(i64::MIN),
            place: Arc::clone(&place),
            owner: Arc::clone(owners.get(number % owners.len()).context("an owner")?),
            consumer: None,
            policy: Arc::clone(policy),
            lineage: Arc::new(Lineage::new(id, Meter::new(&policy.rules))),
            special: None,
        });
    }
    Ok(keyring)
}

fn share_place(keyring: &Keyring) -> Arc<Place> {
    let mut catalogue = Catalogue::default();
    for name in permission_names() {
        catalogue.insert(&name, Flags::default());
    }
    let project = Arc::new(ProjectCell {
        id: PROJECT,
        organization: ORGANIZATION,
        slug: "bench".into(),
        system: false,
        resource: format!("projects/{PROJECT}").into(),
        prefix: Arc::new(Box::<str>::from("acme")).into(),
        catalogue: Arc::new(catalogue).into(),
        conditions: ConditionCell::default(),
    });
    let place = Arc::new(Place {
        environment: ENVIRONMENT,
        slug: "production".into(),
        tag: "live".into(),
        resource: format!("projects/{PROJECT}/environments/{ENVIRONMENT}").into(),
        project: Arc::clone(&project),
    });
    keyring.directory.put_project(project);
    keyring.directory.put_place(Arc::clone(&place));
    place
}

fn share_owners(keyring: &Keyring) -> Vec<Arc<Principal>> {
    (0..OWNERS)
        .map(|number| {
            let state = PrincipalState {
                name: format!("account-{number}").into(),
                external_id: None,
                reach: Reach::Anything,
                disabled: false,
                rules: MeterRules::default(),
                meter: Arc::default(),
            };
            let owner = Arc::new(Principal {
                id: OwnerId::ServiceAccount(ServiceAccountId([number; 16])),
                organization: ORGANIZATION,
                state: Arc::new(state).into(),
            });
            keyring.directory.put_principal(Arc::clone(&owner));
            owner
        })
        .collect()
}

fn share_policies(keyring: &Keyring) -> Result<Vec<Arc<Policy>>> {
    (0..POLICIES)
        .map(|number| {
            let spec = policy(number);
            let compiled = Policy::compile(&spec, |_| None).map_err(|invalid| because(&invalid))?;
            Ok(keyring.directory.put_policy(ORGANIZATION, PolicySpec::hash_of(&spec.to_json()), compiled))
        })
        .collect()
}

fn because(invalid: &Invalid) -> anyhow::Error {
    anyhow!("{invalid:?}")
}
