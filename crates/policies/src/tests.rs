//! What the tests stand on: keys and persons of two teams, and policies over them.

mod deciding;
mod reading;
mod remembering;

use crate::facts::Circumstances;
use crate::{AccessPolicy, Known, Language, Named, Rules, Source, Target};
use keystead_api::KeyKind;
use keystead_domain::authority::Authority;
use keystead_domain::cells::{Catalogue, Place, Principal, PrincipalState, ProjectCell};
use keystead_domain::conditions::ConditionCell;
use keystead_domain::decide::{Ask, forbidden};
use keystead_domain::digest::Digest;
use keystead_domain::entry::{Entry, Lineage, NO_PEPPER, Switch};
use keystead_domain::ids::*;
use keystead_domain::meter::{Meter, MeterRules};
use keystead_domain::policy::{Policy, PolicySpec};
use keystead_domain::query::Query;
use keystead_domain::reach::{Membership, Reach, TeamCell, TeamState};
use keystead_domain::special::Special;
use keystead_domain::time::Micros;
use std::sync::{Arc, LazyLock};

pub(super) static LANGUAGE: LazyLock<Language> =
    LazyLock::new(|| Language::new(["keys.read", "keys.delete", "keys.verify", "policies.write"]).unwrap());

/// Thursday, the first of January 2026, noon.
pub(super) const NOON: Micros = Micros(1_767_268_800_000_000);
pub(super) const ORGANIZATION: OrganizationId = OrganizationId([1; 16]);
pub(super) const PROJECT: ProjectId = ProjectId([2; 16]);
pub(super) const PRODUCTION: EnvironmentId = EnvironmentId([3; 16]);
pub(super) const ADMIN: TeamId = TeamId([6; 16]);
pub(super) const ANN: MemberId = MemberId([7; 16]);

pub(super) fn key_id(n: u64) -> KeyId {
    KeyId::from_slice(format!("{n:012}").as_bytes()).unwrap()
}

pub(super) fn place(system: bool) -> Arc<Place> {
    let project = ProjectCell {
        id: if system { ProjectId([9; 16]) } else { PROJECT },
        organization: ORGANIZATION,
        slug: if system { "keystead".into() } else { "registry".into() },
        system,
        resource: format!("projects/{PROJECT}").into(),
        prefix: Arc::new(Box::<str>::from("acme")).into(),
        catalogue: Arc::new(Catalogue::default()).into(),
        conditions: ConditionCell::default(),
    };
    Arc::new(Place {
        environment: PRODUCTION,
        slug: "production".into(),
        tag: "live".into(),
        resource: format!("projects/{PROJECT}/environments/{PRODUCTION}").into(),
        project: Arc::new(project),
    })
}

fn state(name: &str, reach: Reach) -> Arc<PrincipalState> {
    let rules = MeterRules::default();
    Arc::new(PrincipalState {
        name: name.into(),
        external_id: None,
        reach,
        disabled: false,
        meter: Arc::new(Meter::new(&rules)),
        rules,
    })
}

pub(super) fn principal(id: OwnerId, name: &str, reach: Reach) -> Arc<Principal> {
    Arc::new(Principal { id, organization: ORGANIZATION, state: state(name, reach).into() })
}

pub(super) fn account() -> Arc<Principal> {
    principal(OwnerId::ServiceAccount(ServiceAccountId([4; 16])), "ci", Reach::Anything)
}

fn authority() -> Authority {
    Authority::compile(&[], |_| None).unwrap()
}

pub(super) fn team_state(name: &str) -> Arc<TeamState> {
    Arc::new(TeamState { name: name.into(), authority: authority() })
}

pub(super) fn team(name: &str) -> Arc<TeamCell> {
    Arc::new(TeamCell { id: ADMIN, organization: ORGANIZATION, state: team_state(name).into() })
}

pub(super) fn member_reach(team: &Arc<TeamCell>, left_at: Option<Micros>) -> Reach {
    let seat = Membership { team: Arc::clone(team), left_at };
    Reach::Member { own: authority(), teams: Box::new([seat]) }
}

pub(super) fn ann(team: &Arc<TeamCell>) -> Arc<Principal> {
    principal(OwnerId::Member(ANN), "Ann", member_reach(team, None))
}

pub(super) fn entry(id: u64, place: &Arc<Place>, owner: &Arc<Principal>) -> Entry {
    let policy = Policy::compile(&PolicySpec::default(), |_| None).unwrap();
    Entry {
        id: key_id(id),
        pepper: 1,
        switch: Switch::On,
        kind: KeyKind::Private,
        digest: Digest::from_bytes([0; 32]),
        not_before: Micros(i64::MIN),
        expires_at: Micros::FOREVER,
        suspended_until: Micros(i64::MIN),
        place: Arc::clone(place),
        owner: Arc::clone(owner),
        consumer: None,
        policy: Arc::new(policy),
        lineage: Arc::new(Lineage::new(key_id(id), Meter::default())),
        special: None,
    }
}

pub(super) fn tagged(entry: &Entry, tags: &[&str]) -> Entry {
    let tags = tags.iter().map(|tag| Box::from(*tag)).collect();
    Entry { special: Some(Arc::new(Special { tags, ..Special::default() })), ..entry.clone() }
}

pub(super) fn session(entry: &Entry) -> Entry {
    Entry { pepper: NO_PEPPER, ..entry.clone() }
}

pub(super) fn policy(n: u8, project: Option<ProjectId>, text: &str) -> Arc<AccessPolicy> {
    let name = format!("policy-{n}");
    let source = Source { id: AccessPolicyId([n; 16]), project, name: &name, text, version: 1 };
    Arc::new(AccessPolicy::new(&LANGUAGE, source))
}

pub(super) fn rules(policies: Vec<Arc<AccessPolicy>>) -> (Arc<Rules>, Arc<Known>) {
    for policy in &policies {
        assert_eq!(policy.mistakes(), []);
    }
    let known = Arc::new(Known::default());
    let resolve = Arc::new(|_, project: ProjectId, environment: Option<EnvironmentId>| {
        Some(Target {
            project: Some(Named { id: project.to_string(), name: "registry".into() }),
            environment: environment.map(|id| Named { id: id.to_string(), name: "production".into() }),
        })
    });
    (Arc::new(Rules::new(&LANGUAGE, policies, Arc::clone(&known), resolve)), known)
}

/// Puts policies in force at a place.
pub(super) fn enforce(place: &Place, texts: &[&str]) -> (Arc<Rules>, Arc<Known>) {
    let policies = (1..).zip(texts).map(|(n, text)| policy(n, None, text)).collect();
    let (rules, known) = rules(policies);
    place.project.conditions.set(rules.conditions(place.project.id, place.project.system));
    (rules, known)
}

pub(super) fn from(ip: &str) -> Ask<'static> {
    Ask { ip: Some(ip.parse().unwrap()), ..Ask::default() }
}

pub(super) fn is_forbidden(entry: &Entry, ask: &Ask<'_>, now: Micros) -> bool {
    forbidden(entry, ask, now).is_some()
}

/// The same, by asking every policy whole.
pub(super) fn is_forbidden_by_all(rules: &Rules, entry: &Entry, ask: &Ask<'_>, now: Micros) -> bool {
    let target = Target {
        project: Some(Named { id: entry.place.project.id.to_string(), name: "registry".into() }),
        environment: Some(Named { id: entry.place.environment.to_string(), name: "production".into() }),
    };
    let at = (Some(entry.place.project.id), &target);
    !rules.findings(&Rules::subject(entry), crate::VERIFY, at, &Circumstances::of(ask, now)).is_empty()
}

pub(super) fn query(permission: &str) -> Query {
    Query::parse(&keystead_api::PermissionQuery::One(permission.into())).unwrap()
}
