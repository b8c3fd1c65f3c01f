//! What members and teams may do: `registry:routes.write`, `registry/production:editor@networks/NET-7`, `keys.own`.

use super::grant::narrowed;
use clap::Args;
use keystead_sdk::api::AuthorityGrant;

/// What a member or team may do.
#[derive(Debug, Args)]
#[group(conflicts_with = "from_json")]
pub(crate) struct Authority {
    /// A permission or pattern that they may use with a project's API: registry:routes.write,
    /// registry/production:zones.*@zones/*, or '*:**' for every project's; without a project it is
    /// Keystead's own: keys.own, keys.read@projects/registry; repeat it for more
    #[arg(long, value_name = "[PROJECT[/ENV]:]NAME[@RESOURCES]", value_parser = permission, help_heading = "Access")]
    permission: Vec<AuthorityGrant>,
    /// A role of a project, or without one of Keystead's own; repeat it for more
    #[arg(long, value_name = "[PROJECT[/ENV]:]NAME[@RESOURCES]", value_parser = role, help_heading = "Access")]
    role: Vec<AuthorityGrant>,
}

impl Authority {
    /// All that was given.
    pub(crate) fn grants(self) -> Vec<AuthorityGrant> {
        self.permission.into_iter().chain(self.role).collect()
    }
}

fn permission(text: &str) -> Result<AuthorityGrant, String> {
    let (name, grant) = read(text)?;
    Ok(AuthorityGrant { permission: Some(name), ..grant })
}

fn role(text: &str) -> Result<AuthorityGrant, String> {
    let (name, grant) = read(text)?;
    Ok(AuthorityGrant { role: Some(name), ..grant })
}

fn read(text: &str) -> Result<(String, AuthorityGrant), String> {
    let (place, rest) = match text.split_once(':').filter(|(place, _)| !place.contains('@')) {
        Some((place, rest)) => (Some(place), rest),
        None => (None, text),
    };
    let (name, resources) = narrowed(rest)?;
    let (project, environment) = match place.map(|place| place.split_once('/').unwrap_or((place, ""))) {
        Some(("", _)) => return Err(format!("`{text}` names no project before the colon")),
        Some((project, "")) => (Some(project.to_owned()), None),
        Some((project, environment)) => (Some(project.to_owned()), Some(environment.to_owned())),
        None => (None, None),
    };
    Ok((
        name,
        AuthorityGrant {
            project,
            environment,
            resources: resources.unwrap_or_default(),
            ..AuthorityGrant::default()
        },
    ))
}

/// As it is given on the command line; a role says so.
pub(crate) fn authority_text(grant: &AuthorityGrant) -> String {
    let place = match (&grant.project, &grant.environment) {
        (Some(project), Some(environment)) => format!("{project}/{environment}:"),
        (Some(project), None) => format!("{project}:"),
        (None, _) => String::new(),
    };
    let name = match (&grant.permission, &grant.role) {
        (Some(permission), _) => permission.clone(),
        (None, role) => role.clone().unwrap_or_default(),
    };
    let on =
        if grant.resources.is_empty() { String::new() } else { format!("@{}", grant.resources.join(",")) };
    let kind = if grant.role.is_some() { " (role)" } else { "" };
    format!("{place}{name}{on}{kind}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_written_the_same() {
        for text in [
            "keys.own",
            "keys.read@projects/registry",
            "*:**",
            "registry:routes.write",
            "r/live:zones.*@zones/*",
        ] {
            assert_eq!(authority_text(&permission(text).unwrap()), text);
            assert_eq!(authority_text(&role(text).unwrap()), format!("{text} (role)"));
        }
    }

    #[test]
    fn an_environment_belongs_to_its_project() {
        let grant = permission("registry/production:routes.write@networks/NET-7").unwrap();
        assert_eq!(grant.project.as_deref(), Some("registry"));
        assert_eq!(grant.environment.as_deref(), Some("production"));
        assert_eq!(grant.resources, ["networks/NET-7"]);
        for wrong in ["", ":routes.write", "registry:", "registry:@x"] {
            assert!(permission(wrong).is_err(), "{wrong}");
        }
    }
}
