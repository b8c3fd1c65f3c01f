//! What a verify answer lists is what the verdict would say, name by name.

use super::*;
use crate::cells::{Catalogue, Flags, Place, Principal, PrincipalState, ProjectCell, RoleCell};
use crate::conditions::ConditionCell;
use crate::digest::Digest;
use crate::entry::{Lineage, Switch};
use crate::ids::{EnvironmentId, KeyId, OrganizationId, OwnerId, ProjectId, RoleId, ServiceAccountId};
use crate::meter::{Meter, MeterRules};
use crate::pattern::PermissionSet;
use crate::policy::{Policy, PolicySpec};
use crate::reach::Reach;
use crate::time::Micros;
use serde_json::json;
use std::sync::Arc;

const NAMES: [&str; 4] = ["zones.read", "zones.write", "routes.read", "billing"];

fn owner(ceiling: Option<&[&str]>) -> Principal {
    let reach = ceiling.map_or(Reach::Anything, |names| {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        Reach::Within(PermissionSet::parse(&names).unwrap())
    });
    let rules = MeterRules::default();
    let meter = Arc::default();
    let state = PrincipalState { name: "o".into(), external_id: None, reach, disabled: false, rules, meter };
    Principal {
        id: OwnerId::ServiceAccount(ServiceAccountId([1; 16])),
        organization: OrganizationId([1; 16]),
        state: Arc::new(state).into(),
    }
}

fn entry(policy: serde_json::Value, ceiling: Option<&[&str]>) -> Entry {
    let mut catalogue = Catalogue::default();
    for name in NAMES {
        catalogue.insert(name, Flags::default());
    }
    let project = ProjectCell {
        id: ProjectId([1; 16]),
        organization: OrganizationId([1; 16]),
        slug: "p".into(),
        system: false,
        resource: "projects/p".into(),
        prefix: Arc::new(Box::<str>::from("acme")).into(),
        catalogue: Arc::new(catalogue).into(),
        conditions: ConditionCell::default(),
    };
    let role = Arc::new(RoleCell {
        id: RoleId([1; 16]),
        name: "reader".into(),
        permissions: Arc::new(PermissionSet::parse(&["*.read".into(), "zones.read".into()]).unwrap()).into(),
    });
    let spec: PolicySpec = serde_json::from_value(policy).unwrap();
    let policy = Policy::compile(&spec, |_| Some(Arc::clone(&role))).unwrap();
    let id = KeyId::from_slice(b"0123456789ab").unwrap();
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
            slug: "e".into(),
            tag: "live".into(),
            resource: "projects/p/environments/e".into(),
            project: Arc::new(project),
        }),
        owner: Arc::new(owner(ceiling)),
        consumer: None,
        lineage: Arc::new(Lineage::new(id, Meter::new(&policy.rules))),
        special: None,
        policy: Arc::new(policy),
    }
}

#[test]
fn what_is_listed_is_what_the_verdict_would_say() {
    let role = json!({ "id": RoleId([1; 16]).to_string() });
    let narrowed_role = json!({ "id": RoleId([1; 16]).to_string(), "resources": ["zones/1"] });
    let narrow = |name: &str, resources: &[&str]| json!({ "permission": name, "resources": resources });
    for policy in [
        json!({}),
        json!({ "permissions": ["zones.write", "billing"] }),
        json!({ "permissions": ["**", "zones.read"] }),
        json!({ "roles": [role] }),
        json!({ "permissions": ["zones.read"], "roles": [narrowed_role] }),
        json!({ "permissions": [narrow("zones.*", &["zones/2"]), narrow("zones.read", &["zones/1", "zones/2"])] }),
    ] {
        for ceiling in [None, Some(&["zones.*"][..]), Some(&[][..])] {
            let entry = entry(policy.clone(), ceiling);
            let (everywhere, narrowed) = held_permissions(&entry);
            for name in NAMES {
                let listed = everywhere.iter().filter(|held| *held == name).count();
                assert_eq!(listed, usize::from(entry.may(name, None)), "{name} of {policy}");
                let of = narrowed.iter().find(|held| held.permission == name);
                for resource in ["zones/1", "zones/2"] {
                    let on = listed == 1 || of.is_some_and(|of| of.resources.iter().any(|on| on == resource));
                    assert_eq!(on, entry.may(name, Some(resource)), "{name} on {resource} of {policy}");
                }
            }
            assert!(everywhere.is_sorted() && narrowed.is_sorted_by_key(|held| &held.permission));
        }
    }
}
