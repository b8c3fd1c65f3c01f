//! Grants and needs: `routes.write`, `routes.write@networks/NET-7`, `editor@zones/*`.

use clap::Args;
use keystead_sdk::api::{
    AllOf, AnyOf, NarrowedPermission, NarrowedRole, PermissionGrant, PermissionOn, PermissionQuery, RoleGrant,
};

/// What a key is granted.
#[derive(Debug, Args)]
#[group(conflicts_with = "from_json")]
pub(crate) struct Grants {
    /// A permission or pattern, on every resource or only on some: routes.read, routes.*,
    /// routes.write@networks/NET-7,zones/*; repeat it for more
    #[arg(long, value_name = "NAME[@RESOURCES]", value_parser = permission, help_heading = "Access")]
    pub(crate) permission: Vec<PermissionGrant>,
    /// A role, on every resource or only on some: editor, editor@networks/NET-7; repeat it for more
    #[arg(long, value_name = "NAME[@RESOURCES]", value_parser = role, help_heading = "Access")]
    pub(crate) role: Vec<RoleGrant>,
}

/// Reads a permission granted.
pub(crate) fn permission(text: &str) -> Result<PermissionGrant, String> {
    Ok(match narrowed(text)? {
        (name, None) => PermissionGrant::Everywhere(name),
        (permission, Some(resources)) => {
            PermissionGrant::Narrowed(NarrowedPermission { permission, resources })
        }
    })
}

/// Reads a role granted.
pub(crate) fn role(text: &str) -> Result<RoleGrant, String> {
    Ok(match narrowed(text)? {
        (name, None) => RoleGrant::Everywhere(name),
        (role, Some(resources)) => RoleGrant::Narrowed(NarrowedRole { role, resources }),
    })
}

/// Reads a permission needed, on the request's resource or on its own.
pub(crate) fn need(text: &str) -> Result<PermissionQuery, String> {
    match text.split_once('@') {
        None if !text.is_empty() => Ok(PermissionQuery::One(text.to_owned())),
        Some((permission, resource)) if !permission.is_empty() && !resource.is_empty() => {
            Ok(PermissionQuery::On(PermissionOn {
                permission: permission.to_owned(),
                resource: resource.to_owned(),
            }))
        }
        _ => Err(format!(
            "`{text}` is not NAME[@RESOURCE], such as routes.read or routes.write@networks/NET-7"
        )),
    }
}

/// All of `all` and, where there is any, one of `any`; `None` when nothing is needed.
pub(crate) fn needs(all: &[PermissionQuery], any: &[PermissionQuery]) -> Option<PermissionQuery> {
    let mut parts = all.to_vec();
    match any {
        [] => {}
        [one] => parts.push(one.clone()),
        several => parts.push(PermissionQuery::Any(AnyOf { any: several.to_vec() })),
    }
    if parts.len() > 1 { Some(PermissionQuery::All(AllOf { all: parts })) } else { parts.pop() }
}

/// As a permission granted is written.
pub(crate) fn permission_text(grant: &PermissionGrant) -> String {
    match grant {
        PermissionGrant::Everywhere(name) => name.clone(),
        PermissionGrant::Narrowed(narrowed) => {
            format!("{}@{}", narrowed.permission, narrowed.resources.join(","))
        }
    }
}

/// As a role granted is written.
pub(crate) fn role_text(grant: &RoleGrant) -> String {
    match grant {
        RoleGrant::Everywhere(name) => name.clone(),
        RoleGrant::Narrowed(narrowed) => {
            format!("{}@{}", narrowed.role, narrowed.resources.join(","))
        }
    }
}

pub(crate) fn narrowed(text: &str) -> Result<(String, Option<Vec<String>>), String> {
    let form = || format!("`{text}` is not NAME[@RESOURCE[,RESOURCE…]], such as routes.write@networks/NET-7");
    let Some((name, resources)) = text.split_once('@') else {
        return if text.is_empty() { Err(form()) } else { Ok((text.to_owned(), None)) };
    };
    let resources: Vec<String> = resources.split(',').map(str::to_owned).collect();
    // An empty one must not turn into "everywhere".
    if name.is_empty() || resources.iter().any(String::is_empty) {
        return Err(form());
    }
    Ok((name.to_owned(), Some(resources)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grants_are_read_and_written_back() {
        for text in ["routes.read", "**", "routes.write@networks/NET-7", "a.b@zones/*,networks/**"] {
            assert_eq!(permission_text(&permission(text).unwrap()), text);
            assert_eq!(role_text(&role(text).unwrap()), text);
        }
    }

    #[test]
    fn a_narrowing_that_names_nothing_is_refused_and_not_taken_for_everywhere() {
        for text in ["", "routes.write@", "@networks/NET-7", "routes.write@a,", "routes.write@,a"] {
            assert!(permission(text).is_err() && role(text).is_err(), "{text}");
        }
    }

    #[test]
    fn needs_join_into_all_and_any() {
        let one = |text: &str| need(text).unwrap();
        let json =
            |all: &[PermissionQuery], any: &[PermissionQuery]| serde_json::to_value(needs(all, any)).unwrap();
        assert_eq!(json(&[], &[]), serde_json::json!(null));
        assert_eq!(json(&[one("a.b")], &[]), serde_json::json!("a.b"));
        assert_eq!(json(&[], &[one("a.b")]), serde_json::json!("a.b"));
        assert_eq!(
            json(&[one("a"), one("b@x/1")], &[]),
            serde_json::json!({"all": ["a", {"permission": "b", "resource": "x/1"}]})
        );
        assert_eq!(
            json(&[one("a")], &[one("b"), one("c")]),
            serde_json::json!({"all": ["a", {"any": ["b", "c"]}]})
        );
        for text in ["", "@x", "a@"] {
            assert!(need(text).is_err(), "{text}");
        }
    }
}
