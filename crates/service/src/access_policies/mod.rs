//! Policies that organizations write in Cedar: they forbid what permissions and restrictions would let pass, to keys
//! that are verified and to whoever calls Keystead's own API.

mod cases;
mod create;
mod delete;
mod force;
mod look;
mod test;
mod update;

pub(crate) use force::load;

use crate::act::Target;
use crate::caller::Caller;
use crate::refused::Refused;
use crate::{Keystead, management};
use keystead_api::{PermissionQuery, Policy, PolicyMistake};
use keystead_domain::cells::ProjectCell;
use keystead_domain::decide::Ask;
use keystead_domain::ids::AccessPolicyId;
use keystead_domain::invalid::Invalid;
use keystead_domain::name;
use keystead_domain::query::Query;
use keystead_policies::{AccessPolicy, Known, Language, Mistake, Rules, Source};
use keystead_store::{AccessPolicyRow, Change, ChangeKind, StoreError, Unique};
use std::sync::{Arc, LazyLock};

/// The most policies for an organization itself, and for each of its projects.
const POLICIES_MAX: i64 = 64;
/// What stands where a policy's name stands in the API.
const RESERVED: [&str; 3] = ["schema", "test", CANDIDATE];
/// The name of a text that is only tried.
const CANDIDATE: &str = "candidate";

static LANGUAGE: LazyLock<Result<Language, String>> = LazyLock::new(|| {
    let all = management::ALL.iter().chain(management::OPERATOR);
    Language::new(all.map(|management| management.name))
});

/// What policies may speak about.
pub(crate) fn language() -> Result<&'static Language, Refused> {
    LANGUAGE.as_ref().map_err(|fault| Refused::Internal(format!("the schema of policies: {fault}")))
}

/// Reads a policy, off the threads that serve: Cedar takes its time over a long text.
async fn read(row: AccessPolicyRow) -> Result<AccessPolicy, Refused> {
    let language = language()?;
    let read = tokio::task::spawn_blocking(move || {
        let source = Source {
            id: row.id,
            project: row.project_id,
            name: &row.name,
            text: &row.body,
            version: row.version,
        };
        AccessPolicy::new(language, source)
    });
    read.await.map_err(|_| Refused::Internal("reading a policy did not run to its end".into()))
}

/// Refuses a text that is no policy, with all that is wrong with it.
fn sound(policy: &AccessPolicy) -> Result<(), Refused> {
    let invalid = |mistake: &Mistake| Invalid::new("/text", mistake.to_string(), mistake.advice.clone());
    match policy.mistakes() {
        [] => Ok(()),
        [mistake] => Err(invalid(mistake).into()),
        [first, others @ ..] => Err(Refused::Several {
            first: Box::new(invalid(first).into()),
            others: others.iter().map(invalid).collect(),
        }),
    }
}

fn named(field: &str, named: &str) -> Result<(), Invalid> {
    name::handle(field, named)?;
    if RESERVED.contains(&named) || named.parse::<AccessPolicyId>().is_ok() {
        let fix = "Choose another name: it stands in addresses.";
        return Err(Invalid::new(field, "This name means something else.", fix));
    }
    Ok(())
}

impl Keystead {
    /// Refuses a text that is no policy, and one that would keep its own author from mending it, now or in the place
    /// that it is for.
    async fn leaves_the_caller(&self, caller: &Caller, row: &AccessPolicyRow) -> Result<(), Refused> {
        let policy = read(row.clone()).await?;
        sound(&policy)?;
        if !row.enabled {
            return Ok(());
        }
        let directory = &self.keyring.directory;
        let project = row.project_id.and_then(|id| directory.project_by_id(id));
        let resource = project.as_ref().map(|project| &*project.resource);
        let query = Query::parse(&PermissionQuery::One(management::POLICIES_WRITE.into()))?;
        let deed = caller.deed(&[management::POLICIES_WRITE]);
        let ask = Ask { resource, permissions: Some(&query), deed, ..caller.ask() };
        let known = Arc::new(Known::default());
        let rules = Arc::new(Rules::new(language()?, vec![Arc::new(policy)], known, directory.resolve()));
        let system = &caller.entry.place.project;
        let forbids = rules.conditions(system.id, system.system);
        if forbids.is_some_and(|forbids| forbids.forbid(&caller.entry, &ask, self.clock.now()).is_some()) {
            return Err(Refused::conflict(
                "This policy would keep you from changing policies, and so from mending it.",
                "Leave `policies.write` out of it, or write it as an owner who signed in: they can always mend policies.",
            ));
        }
        Ok(())
    }

    /// The policy that a path names, of the caller's organization, once the caller may do this with it.
    async fn access_policy_row(
        self: &Arc<Self>,
        caller: &Caller,
        permission: &'static str,
        named: &str,
    ) -> Result<AccessPolicyRow, Refused> {
        let mut reader = self.store.read().await?;
        let row = match named.parse::<AccessPolicyId>() {
            Ok(id) => reader.access_policy(caller.organization(), id).await?,
            Err(_) => reader.access_policy_by_name(caller.organization(), named).await?,
        };
        drop(reader);
        let project = row.as_ref().and_then(|row| row.project_id);
        let project = project.and_then(|id| self.keyring.directory.project_by_id(id));
        self.authorise(caller, permission, project.as_ref().map(|project| &*project.resource)).await?;
        row.ok_or(Refused::not_found("policy"))
    }

    /// A project of the caller's that a field names.
    fn project_for_policy(
        &self,
        caller: &Caller,
        named: Option<&str>,
    ) -> Result<Option<Arc<ProjectCell>>, Refused> {
        let Some(named) = named else { return Ok(None) };
        let project = self.keyring.directory.project(caller.organization(), named);
        let fix = "Send the id or slug of one of your projects, or nothing for the whole organization.";
        let unknown = || Refused::unknown("/project", "There is no such project.", fix);
        project.map(Some).ok_or_else(unknown)
    }

    fn show_access_policy(&self, row: &AccessPolicyRow) -> Policy {
        let directory = &self.keyring.directory;
        let project = row.project_id.and_then(|id| directory.project_by_id(id));
        let rules = directory.rules(row.organization_id);
        let read = rules.as_ref().and_then(|rules| rules.policy(row.id));
        let read = read.filter(|policy| policy.version == row.version);
        Policy {
            id: row.id.to_string(),
            name: row.name.clone(),
            project: project.map(|project| project.slug.to_string()),
            description: row.description.clone(),
            text: row.body.clone(),
            enabled: row.enabled,
            mistakes: read.map_or_else(Vec::new, |policy| policy.mistakes().iter().map(shown).collect()),
            created_at: row.created_at.to_timestamp(),
            updated_at: row.updated_at.to_timestamp(),
            version: row.version,
        }
    }
}

fn shown(mistake: &Mistake) -> PolicyMistake {
    PolicyMistake {
        line: mistake.line,
        column: mistake.column,
        detail: mistake.what.clone(),
        fix: mistake.advice.clone(),
    }
}

fn target(row: &AccessPolicyRow) -> Target<'_> {
    Target { kind: "policy", id: row.id.to_string(), name: &row.name, project: row.project_id }
}

fn change(row: &AccessPolicyRow) -> Change {
    Change::new(row.organization_id, ChangeKind::AccessPolicy, row.id.0)
}

fn taken(error: StoreError) -> Refused {
    match error {
        StoreError::Unique(Unique::AccessPolicyName) => Refused::conflict(
            "The organization has a policy with this name.",
            "Choose another name, or change that one.",
        ),
        other => other.into(),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_schema_is_one() {
        assert!(super::language().is_ok());
    }
}
