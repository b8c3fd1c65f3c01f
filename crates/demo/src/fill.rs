//! Makes what is missing of a project, and of its people. What is there, changed or not, stays as it is.

use crate::content::{People, Planned};
use crate::keys;
use anyhow::{Context, Result};
use keystead_sdk::api::{PageQuery, Timestamp};
use keystead_sdk::{Client, Error, list_all};
use std::collections::BTreeSet;

/// More of anything than a demo has.
pub(crate) const ITEMS_MAX: usize = 10_000;

/// Makes a project and what is in it; says what was made.
pub(crate) async fn project(client: &Client, planned: &Planned, now: Timestamp) -> Result<String> {
    let slug = planned.project.slug.as_str();
    match client.project(slug).await {
        Ok(_) => {}
        Err(error) if error.status() == Some(404) => {
            client.create_project(&planned.project).await.with_context(|| format!("project {slug}"))?;
        }
        Err(error) => return Err(error.into()),
    }
    let environments = environments(client, planned).await.context("environments")?;
    let permissions = permissions(client, planned).await.context("permissions")?;
    let roles = roles(client, planned).await.context("roles")?;
    let accounts = service_accounts(client, planned).await.context("service accounts")?;
    let consumers = consumers(client, planned).await.context("consumers")?;
    let keys = keys::fill(client, planned, now).await.context("keys")?;
    let made = environments + permissions + roles + accounts + consumers + keys;
    let name = &planned.project.name;
    if made == 0 {
        return Ok(format!("{name}: everything is there"));
    }
    Ok(format!(
        "{name}: made {environments} environments, {permissions} permissions, {roles} roles, \
         {accounts} service accounts, {consumers} consumers, {keys} keys"
    ))
}

/// Makes the teams and members that are missing, and says what was made.
pub(crate) async fn people(client: &Client, planned: &People) -> Result<String> {
    let teams = teams(client, planned).await.context("teams")?;
    let members = members(client, planned).await.context("members")?;
    if teams + members == 0 {
        return Ok("People: everybody is there".to_owned());
    }
    Ok(format!("People: made {teams} teams, {members} members"))
}

async fn teams(client: &Client, planned: &People) -> Result<usize, Error> {
    let there = async |page: PageQuery| client.list_teams(&page).await;
    let there: BTreeSet<String> =
        list_all(ITEMS_MAX, there).await?.items.into_iter().map(|it| it.name).collect();
    let missing: Vec<_> = planned.teams.iter().filter(|new| !there.contains(&new.name)).collect();
    for new in &missing {
        client.create_team(new).await?;
    }
    Ok(missing.len())
}

async fn members(client: &Client, planned: &People) -> Result<usize, Error> {
    let there = async |page: PageQuery| client.list_members(&page).await;
    let there: BTreeSet<String> =
        list_all(ITEMS_MAX, there).await?.items.into_iter().map(|it| it.email).collect();
    let new = planned.members.iter().map(|person| &person.new);
    let missing: Vec<_> = new.filter(|new| !there.contains(&new.email)).collect();
    for new in &missing {
        client.create_member(new).await?;
    }
    Ok(missing.len())
}

async fn environments(client: &Client, planned: &Planned) -> Result<usize, Error> {
    let slug = planned.project.slug.as_str();
    let there = async |page: PageQuery| client.list_environments(slug, &page).await;
    let there: BTreeSet<String> =
        list_all(ITEMS_MAX, there).await?.items.into_iter().map(|it| it.slug).collect();
    let missing: Vec<_> = planned.environments.iter().filter(|new| !there.contains(&new.slug)).collect();
    for new in &missing {
        client.create_environment(slug, new).await?;
    }
    Ok(missing.len())
}

async fn permissions(client: &Client, planned: &Planned) -> Result<usize, Error> {
    let slug = planned.project.slug.as_str();
    let there = async |page: PageQuery| client.list_permissions(slug, &page).await;
    let there: BTreeSet<String> =
        list_all(ITEMS_MAX, there).await?.items.into_iter().map(|it| it.name).collect();
    let missing: Vec<_> = planned.permissions.iter().filter(|new| !there.contains(&new.name)).collect();
    for new in &missing {
        client.create_permission(slug, new).await?;
    }
    Ok(missing.len())
}

async fn roles(client: &Client, planned: &Planned) -> Result<usize, Error> {
    let slug = planned.project.slug.as_str();
    let there = async |page: PageQuery| client.list_roles(slug, &page).await;
    let there: BTreeSet<String> =
        list_all(ITEMS_MAX, there).await?.items.into_iter().map(|it| it.name).collect();
    let missing: Vec<_> = planned.roles.iter().filter(|new| !there.contains(&new.name)).collect();
    for new in &missing {
        client.create_role(slug, new).await?;
    }
    Ok(missing.len())
}

async fn service_accounts(client: &Client, planned: &Planned) -> Result<usize, Error> {
    let slug = planned.project.slug.as_str();
    let there = async |page: PageQuery| client.list_service_accounts(slug, &page).await;
    let there: BTreeSet<String> =
        list_all(ITEMS_MAX, there).await?.items.into_iter().map(|it| it.name).collect();
    let missing: Vec<_> = planned.service_accounts.iter().filter(|new| !there.contains(&new.name)).collect();
    for new in &missing {
        client.create_service_account(slug, new).await?;
    }
    Ok(missing.len())
}

async fn consumers(client: &Client, planned: &Planned) -> Result<usize, Error> {
    let slug = planned.project.slug.as_str();
    let there = async |page: PageQuery| client.list_consumers(slug, &page).await;
    let there: BTreeSet<Option<String>> =
        list_all(ITEMS_MAX, there).await?.items.into_iter().map(|it| it.external_id).collect();
    let missing: Vec<_> = planned.consumers.iter().filter(|new| !there.contains(&new.external_id)).collect();
    for new in &missing {
        client.create_consumer(slug, new).await?;
    }
    Ok(missing.len())
}
