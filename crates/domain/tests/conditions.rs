//! Policies, whatever they say, only take away: what is refused without them is refused with them, the same way.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what is built here is built for the tests below"
)]

use keystead_api::{Code, KeyKind, Networks, PermissionGrant, PermissionQuery};
use keystead_domain::cells::{Catalogue, Flags, Place, Principal, PrincipalState, ProjectCell};
use keystead_domain::conditions::{ConditionCell, Conditions, Deed, Forbidden, Why};
use keystead_domain::decide::{Ask, Decision, decide, judge_minting};
use keystead_domain::digest::Digest;
use keystead_domain::entry::{Entry, Lineage, Switch};
use keystead_domain::ids::*;
use keystead_domain::meter::{Meter, MeterRules};
use keystead_domain::policy::{Policy, PolicySpec};
use keystead_domain::query::Query;
use keystead_domain::reach::Reach;
use keystead_domain::time::Micros;
use proptest::prelude::*;
use std::sync::Arc;

const NOW: Micros = Micros(1_767_225_600_000_000);

#[derive(Debug, Clone)]
struct Case {
    switch: u8,
    disabled: bool,
    expired: bool,
    inside: bool,
    permission: usize,
    forbids: bool,
    mending: bool,
}

fn cases() -> impl Strategy<Value = Case> {
    (0..3u8, any::<bool>(), any::<bool>(), any::<bool>(), 0..2usize, any::<bool>(), any::<bool>()).prop_map(
        |(switch, disabled, expired, inside, permission, forbids, mending)| Case {
            switch,
            disabled,
            expired,
            inside,
            permission,
            forbids,
            mending,
        },
    )
}

fn entry(case: &Case) -> Entry {
    let mut catalogue = Catalogue::default();
    catalogue.insert("zones.read", Flags::default());
    let project = ProjectCell {
        id: ProjectId([2; 16]),
        organization: OrganizationId([1; 16]),
        slug: "registry".into(),
        system: false,
        resource: "projects/registry".into(),
        prefix: Arc::new(Box::<str>::from("acme")).into(),
        catalogue: Arc::new(catalogue).into(),
        conditions: ConditionCell::default(),
    };
    let place = Place {
        environment: EnvironmentId([3; 16]),
        slug: "production".into(),
        tag: "live".into(),
        resource: "projects/registry/environments/production".into(),
        project: Arc::new(project),
    };
    let state = PrincipalState {
        name: "somebody".into(),
        external_id: None,
        reach: Reach::Anything,
        disabled: case.disabled,
        rules: MeterRules::default(),
        meter: Arc::default(),
    };
    let owner = OwnerId::ServiceAccount(ServiceAccountId([4; 16]));
    let spec = PolicySpec {
        permissions: vec![PermissionGrant::Everywhere("zones.read".into())],
        restrictions: keystead_api::Restrictions {
            networks: Some(Networks { allow: vec!["10.0.0.0/8".into()], deny: Vec::new() }),
            ..keystead_api::Restrictions::default()
        },
        ..PolicySpec::default()
    };
    let id = KeyId::from_slice(b"000000000001").unwrap();
    Entry {
        id,
        pepper: 1,
        switch: [Switch::On, Switch::Off, Switch::Revoked][usize::from(case.switch)],
        kind: KeyKind::Private,
        digest: Digest::from_bytes([0; 32]),
        not_before: Micros(i64::MIN),
        expires_at: if case.expired { NOW } else { Micros::FOREVER },
        suspended_until: Micros(i64::MIN),
        place: Arc::new(place),
        owner: Arc::new(Principal {
            id: owner,
            organization: OrganizationId([1; 16]),
            state: Arc::new(state).into(),
        }),
        consumer: None,
        policy: Arc::new(Policy::compile(&spec, |_| None).unwrap()),
        lineage: Arc::new(Lineage::new(id, Meter::default())),
        special: None,
    }
}

fn code(entry: &Entry, ask: &Ask<'_>) -> Code {
    match decide(entry, ask, NOW) {
        Decision::Made(verdict) => verdict.code,
        Decision::NeedsLease(_) => panic!("nothing is leased here"),
    }
}

fn minting(entry: &Entry, ask: &Ask<'_>) -> Code {
    judge_minting(entry, ask, NOW).err().map_or(Code::Valid, |verdict| verdict.code)
}

proptest! {
    #[test]
    fn a_policy_never_turns_a_denial_into_valid(case in cases()) {
        let names = ["zones.read", "zones.write"].map(|name| Query::parse(&PermissionQuery::One(name.into())).unwrap());
        let ask = Ask {
            ip: Some(if case.inside { "10.1.1.1" } else { "192.0.2.1" }.parse().unwrap()),
            permissions: names.get(case.permission),
            cost: 1,
            deed: if case.mending { Deed::Mend } else { Deed::Use },
            ..Ask::default()
        };
        let entry = entry(&case);
        let without = (code(&entry, &ask), minting(&entry, &ask));
        let forbids = case.forbids;
        let conditions = Conditions::new(move |_, _, _| {
            forbids.then(|| Forbidden { policy: AccessPolicyId([6; 16]), name: "a".into(), why: Why::Says })
        });
        entry.place.project.conditions.set(Some(Arc::new(conditions)));
        let with = (code(&entry, &ask), minting(&entry, &ask));
        let taken = |before: Code, mending: bool| match before {
            Code::Valid if forbids && !mending => Code::ConditionDenied,
            before => before,
        };
        prop_assert_eq!(with, (taken(without.0, case.mending), taken(without.1, false)));
        entry.place.project.conditions.set(None);
        prop_assert_eq!((code(&entry, &ask), minting(&entry, &ask)), without);
    }
}
