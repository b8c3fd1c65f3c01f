//! What the demo organization consists of: three files in the words of the API.

use anyhow::{Context, Result};
use keystead_sdk::api::{
    CreateConsumer, CreateEnvironment, CreateKey, CreateMember, CreatePermission, CreateProject, CreateRole,
    CreateServiceAccount, CreateTeam, PermissionGrant, RoleGrant, Verify,
};
use serde::Deserialize;

/// A project with all that is in it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Planned {
    pub(crate) project: CreateProject,
    pub(crate) environments: Vec<CreateEnvironment>,
    pub(crate) permissions: Vec<CreatePermission>,
    pub(crate) roles: Vec<CreateRole>,
    pub(crate) service_accounts: Vec<CreateServiceAccount>,
    pub(crate) consumers: Vec<CreateConsumer>,
    pub(crate) keys: Vec<PlannedKey>,
}

/// Who works there.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct People {
    pub(crate) teams: Vec<CreateTeam>,
    pub(crate) members: Vec<Person>,
}

/// A member, and the key of their own that they make once they have joined.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Person {
    pub(crate) new: CreateMember,
    pub(crate) key: Option<OwnKey>,
}

/// A key of the registry's production that somebody makes for themselves, mostly in a team's name.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OwnKey {
    pub(crate) team: Option<String>,
    #[serde(default)]
    pub(crate) permissions: Vec<PermissionGrant>,
    #[serde(default)]
    pub(crate) roles: Vec<RoleGrant>,
}

/// A key, its dates counted from the day on which it is made.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlannedKey {
    pub(crate) new: CreateKey,
    pub(crate) not_before_days: Option<i64>,
    pub(crate) expires_days: Option<i64>,
    /// How it has been used so far.
    #[serde(default)]
    pub(crate) uses: Vec<Use>,
    /// What became of it.
    pub(crate) then: Option<Fate>,
}

/// The same request several times; key, project and environment are filled in.
#[derive(Deserialize)]
pub(crate) struct Use {
    pub(crate) times: usize,
    #[serde(flatten)]
    request: serde_json::Map<String, serde_json::Value>,
}

/// What became of a key.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Fate {
    Disable(bool),
    SuspendDays(i64),
    Revoke(String),
}

/// The demo's projects.
pub(crate) fn projects() -> Result<Vec<Planned>> {
    [include_str!("../content/registry.json"), include_str!("../content/billing.json")]
        .into_iter()
        .map(|text| serde_json::from_str(text).context("the demo's content is not as this program expects"))
        .collect()
}

/// The demo's people: teams as registries have them, each with what it may do.
pub(crate) fn people() -> Result<People> {
    serde_json::from_str(include_str!("../content/people.json"))
        .context("the demo's people are not as this program expects")
}

impl PlannedKey {
    /// The tag that tells this key from the demo's others, however often the demo starts.
    pub(crate) fn mark(&self) -> Option<&str> {
        self.new.tags.iter().map(String::as_str).find(|tag| tag.starts_with("demo:"))
    }
}

impl Use {
    /// The request, with that key.
    pub(crate) fn request(&self, key: &str, project: &str, environment: &str) -> Result<Verify> {
        let mut request = self.request.clone();
        for (name, value) in [("key", key), ("project", project), ("environment", environment)] {
            request.insert(name.to_owned(), value.into());
        }
        Ok(serde_json::from_value(request.into())?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use keystead_domain::meter::MeterRules;
    use keystead_domain::name;
    use keystead_domain::pattern::Pattern;
    use keystead_domain::restrictions::Restrictions;
    use keystead_sdk::api::{NarrowedPermission, NarrowedRole};
    use serde_json::Map;
    use std::collections::BTreeSet;

    #[test]
    fn there_are_two_projects_six_consumers_and_forty_keys() {
        let projects = projects().unwrap();
        assert_eq!(projects.len(), 2);
        assert_eq!(projects.iter().map(|project| project.consumers.len()).sum::<usize>(), 6);
        assert_eq!(projects.iter().map(|project| project.keys.len()).sum::<usize>(), 40);
    }

    #[test]
    fn everybody_is_in_a_team_that_there_is() {
        let People { teams, members } = people().unwrap();
        assert_eq!((teams.len(), members.len()), (6, 9));
        for person in &members {
            let in_name_of = person.key.iter().filter_map(|key| key.team.as_ref());
            assert!(in_name_of.clone().all(|team| person.new.teams.contains(team)), "{}", person.new.email);
            for named in person.new.teams.iter().chain(in_name_of) {
                assert!(teams.iter().any(|team| team.name == *named), "{named}");
            }
        }
    }

    #[test]
    fn every_key_has_a_mark_of_its_own_and_names_what_exists() {
        for planned in projects().unwrap() {
            let names = |name: &String| planned.environments.iter().any(|known| known.slug == *name);
            let mut marks = BTreeSet::new();
            for key in &planned.keys {
                assert!(marks.insert(key.mark().unwrap()), "{:?} twice", key.mark());
                assert!(key.new.tags.iter().any(|tag| tag == "demo"), "{:?}", key.mark());
                assert!(names(&key.new.environment), "{:?}", key.mark());
                if let Some(owner) = &key.new.owner {
                    assert!(planned.service_accounts.iter().any(|known| known.name == *owner), "{owner}");
                }
                if let Some(consumer) = &key.new.consumer {
                    let known = |known: &CreateConsumer| known.external_id.as_ref() == Some(consumer);
                    assert!(planned.consumers.iter().any(known), "{consumer}");
                }
                for used in &key.uses {
                    used.request("k", "p", "e").unwrap();
                }
            }
        }
    }

    #[test]
    fn the_rules_accept_every_key() {
        for planned in projects().unwrap() {
            let catalogue: Vec<&str> = planned.permissions.iter().map(|it| it.name.as_str()).collect();
            for key in &planned.keys {
                let new = &key.new;
                Restrictions::compile(&new.restrictions).unwrap();
                MeterRules::compile(&new.limits, new.quota.as_ref(), None).unwrap();
                name::tags("/tags", &new.tags).unwrap();
                name::metadata("/metadata", new.metadata.as_ref().unwrap_or(&Map::new())).unwrap();
                let roles: Vec<&str> = planned.roles.iter().map(|it| it.name.as_str()).collect();
                for grant in &new.roles {
                    let (RoleGrant::Everywhere(role) | RoleGrant::Narrowed(NarrowedRole { role, .. })) =
                        grant;
                    assert!(roles.contains(&role.as_str()), "{role}");
                }
                for grant in &new.permissions {
                    let (PermissionGrant::Everywhere(permission)
                    | PermissionGrant::Narrowed(NarrowedPermission { permission, .. })) = grant;
                    matches_something(permission, &catalogue);
                }
            }
        }
    }

    #[test]
    fn the_rules_accept_every_role_and_owner() {
        for planned in projects().unwrap() {
            let catalogue: Vec<&str> = planned.permissions.iter().map(|it| it.name.as_str()).collect();
            for permission in &catalogue {
                name::permission_name("/name", permission).unwrap();
            }
            let ceilings = planned.service_accounts.iter().filter_map(|it| it.ceiling.as_ref());
            let ceilings = ceilings.chain(planned.consumers.iter().filter_map(|it| it.ceiling.as_ref()));
            for pattern in ceilings.chain(planned.roles.iter().map(|it| &it.permissions)).flatten() {
                matches_something(pattern, &catalogue);
            }
            for consumer in &planned.consumers {
                name::contact("/contact", consumer.contact.as_deref().unwrap()).unwrap();
                MeterRules::compile(&consumer.limits, consumer.quota.as_ref(), None).unwrap();
            }
        }
    }

    fn matches_something(pattern: &str, catalogue: &[&str]) {
        let compiled = Pattern::parse(pattern).unwrap();
        assert!(catalogue.iter().any(|name| compiled.matches(name)), "{pattern} matches nothing");
    }
}
