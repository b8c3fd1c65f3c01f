//! Grants hold where they say, and nowhere else.

use super::*;
use crate::cells::{Catalogue, Flags, ProjectCell};
use crate::conditions::ConditionCell;
use crate::ids::OrganizationId;
use crate::pattern::PermissionSet;

fn place(project: u8, environment: u8, system: bool) -> Place {
    let mut catalogue = Catalogue::default();
    for name in ["routes.read", "routes.write"] {
        catalogue.insert(name, Flags::default());
    }
    let cell = ProjectCell {
        id: ProjectId([project; 16]),
        organization: OrganizationId([1; 16]),
        slug: "p".into(),
        system,
        resource: "projects/p".into(),
        prefix: Arc::new(Box::<str>::from("acme")).into(),
        catalogue: Arc::new(catalogue).into(),
        conditions: ConditionCell::default(),
    };
    Place {
        environment: EnvironmentId([environment; 16]),
        slug: "e".into(),
        tag: "live".into(),
        resource: "projects/p/environments/e".into(),
        project: Arc::new(cell),
    }
}

fn grant(permission: &str) -> AuthorityGrant {
    AuthorityGrant { permission: Some(permission.into()), ..AuthorityGrant::default() }
}

fn authority(grants: &[AuthorityGrant]) -> Authority {
    let role = Arc::new(RoleCell {
        id: RoleId([1; 16]),
        name: "router".into(),
        permissions: Arc::new(PermissionSet::parse(&["routes.*".into()]).unwrap()).into(),
    });
    Authority::compile(grants, |id| (id == role.id).then(|| Arc::clone(&role))).unwrap()
}

#[test]
fn a_grant_holds_where_it_says() {
    let (here, other_environment) = (place(1, 1, false), place(1, 2, false));
    let (elsewhere, keystead) = (place(2, 3, false), place(9, 9, true));
    let project = Some(ProjectId([1; 16]).to_string());
    let environment = Some(EnvironmentId([1; 16]).to_string());
    for (grant, held) in [
        (grant("**"), [false, false, false, true]),
        (AuthorityGrant { project: Some("*".into()), ..grant("**") }, [true, true, true, false]),
        (AuthorityGrant { project: project.clone(), ..grant("**") }, [true, true, false, false]),
        (AuthorityGrant { project, environment, ..grant("**") }, [true, false, false, false]),
    ] {
        let authority = authority(std::slice::from_ref(&grant));
        let gives = [&here, &other_environment, &elsewhere, &keystead]
            .map(|place| authority.gives(place, "routes.write", None));
        assert_eq!(gives, held, "{grant:?}");
    }
}

#[test]
fn a_narrowed_grant_needs_its_resource() {
    let project = Some(ProjectId([1; 16]).to_string());
    let authority = authority(&[AuthorityGrant {
        role: Some(RoleId([1; 16]).to_string()),
        project,
        resources: vec!["networks/NET-7".into()],
        ..AuthorityGrant::default()
    }]);
    let place = place(1, 1, false);
    assert!(authority.gives(&place, "routes.write", Some("networks/NET-7")));
    assert!(!authority.gives(&place, "routes.write", Some("networks/NET-8")));
    assert!(!authority.gives(&place, "routes.write", None));
    assert!(!authority.gives(&place, "zones.write", Some("networks/NET-7")));
}

#[test]
fn what_makes_no_sense_is_refused() {
    let compile = |grant: AuthorityGrant| Authority::compile(&[grant], |_| None).unwrap_err().field;
    assert_eq!(compile(AuthorityGrant::default()), "/0");
    assert_eq!(compile(AuthorityGrant { role: Some("r".into()), ..grant("a.b") }), "/0");
    assert_eq!(compile(AuthorityGrant { environment: Some("e".into()), ..grant("a.b") }), "/0/environment");
    let role = || AuthorityGrant { role: Some("role_x".into()), ..AuthorityGrant::default() };
    assert_eq!(compile(role()), "/0/role");
    assert_eq!(compile(AuthorityGrant { project: Some("*".into()), ..role() }), "/0/role");
    assert_eq!(compile(grant("not a pattern")), "/0/permission");
}
