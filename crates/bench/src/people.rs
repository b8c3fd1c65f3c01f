//! How soon a change of what people may do holds for all of their keys: 10,000 of one team, in one cell.

use crate::figure::Figure;
use crate::installation::{Installation, caller};
use crate::measure::{data_folder, instant, median};
use crate::population::{IP, PATH};
use crate::say;
use anyhow::{Context, Result, anyhow, ensure};
use keystead_api::{
    AuthorityGrant, Code, CreateKey, CreateMember, CreateTeam, PermissionGrant, PermissionQuery, UpdateKey,
    UpdateTeam, Verify,
};
use keystead_service::caller::Caller;
use keystead_service::{Keystead, Refused};
use std::sync::Arc;
use tokio::task::JoinSet;

/// Keys made in the team's name.
const KEYS: usize = 10_000;
/// Made at once.
const AT_ONCE: usize = 250;
/// How often the team loses what it may do, and gets it again.
const ROUNDS: usize = 20;
const MILLISECONDS: f64 = 1_000.0;
const TEAM: &str = "routing";

/// Measures on SQLite.
///
/// # Errors
/// When an installation cannot be made, an act is refused, or a key answers other than its owner may.
pub async fn figures() -> Result<Vec<Figure>> {
    let folder = tempfile::Builder::new().prefix("people-").tempdir_in(data_folder()?)?;
    let installation = Installation::embedded(folder.path());
    let key = installation.make().await?;
    let keystead = installation.open().await?.keystead;
    let admin = caller(&keystead, &key)?;
    let person = person(&keystead, &admin).await?;
    say::progress(&format!("making {KEYS} keys in a team's name"));
    let keys = keys(&keystead, &person).await?;
    let (mut acts, mut looks) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let may = round % 2 == 1;
        let change = UpdateTeam { grants: Some(grants(may)), ..UpdateTeam::default() };
        let begun = instant();
        keystead.update_team(&admin, TEAM, change, None).await.map_err(refused)?;
        acts.push(begun.elapsed().as_secs_f64() * MILLISECONDS);
        let begun = instant();
        let expected = if may { Code::Valid } else { Code::InsufficientPermissions };
        for ask in &keys {
            let verdict = keystead.verify(&admin, ask).await.map_err(refused)?;
            ensure!(verdict.code == expected, "answered {} instead of {expected}", verdict.code);
        }
        looks.push(begun.elapsed().as_secs_f64() * MILLISECONDS);
    }
    keystead.close().await;
    Ok(vec![
        Figure::at_most(
            "owner_change_ms",
            median(acts),
            10.0,
            "from the request, through its commit, until it holds for 10,000 keys, ms",
        ),
        Figure::told(
            "owner_change_keys",
            keys.len() as f64,
            "keys that answered otherwise after each change",
        ),
        Figure::told("owner_change_look_ms", median(looks), "verifying all of them once, ms"),
    ])
}

/// What the team may do: make keys, and perhaps read networks.
fn grants(may: bool) -> Vec<AuthorityGrant> {
    let grant = |permission: &str, project: Option<&str>| AuthorityGrant {
        permission: Some(permission.into()),
        project: project.map(Into::into),
        ..AuthorityGrant::default()
    };
    let mut grants = vec![grant("keys.own", None)];
    if may {
        grants.push(grant("**", Some("bench")));
    }
    grants
}

/// A person in the team, with a key of Keystead's own.
async fn person(keystead: &Arc<Keystead>, admin: &Caller) -> Result<Caller> {
    let team = CreateTeam { name: TEAM.into(), grants: grants(true), ..CreateTeam::default() };
    keystead.create_team(admin, team).await.map_err(refused)?;
    let member = CreateMember {
        email: "ann@example.net".into(),
        name: "Ann".into(),
        teams: vec![TEAM.into()],
        ..CreateMember::default()
    };
    let member = keystead.create_member(admin, member).await.map_err(refused)?;
    let key = CreateKey {
        name: "Ann".into(),
        environment: "production".into(),
        permissions: vec![PermissionGrant::Everywhere("keys.own".into())],
        ..CreateKey::default()
    };
    let key = keystead.create_key(admin, "keystead", key).await.map_err(refused)?;
    let hand_over = UpdateKey { owner: Some(member.id), ..UpdateKey::default() };
    keystead.update_key(admin, &key.details.id, hand_over, None).await.map_err(refused)?;
    caller(keystead, &key.key)
}

async fn keys(keystead: &Arc<Keystead>, person: &Caller) -> Result<Vec<Verify>> {
    let mut asks = Vec::with_capacity(KEYS);
    while asks.len() < KEYS {
        let mut creates = JoinSet::new();
        for _ in 0..AT_ONCE {
            let (keystead, person) = (Arc::clone(keystead), person.clone());
            creates.spawn(async move {
                let key = CreateKey {
                    name: "Of the team".into(),
                    environment: "production".into(),
                    team: Some(TEAM.into()),
                    permissions: vec![PermissionGrant::Everywhere("**".into())],
                    ..CreateKey::default()
                };
                keystead.create_key(&person, "bench", key).await
            });
        }
        while let Some(created) = creates.join_next().await {
            asks.push(ask(created.context("a create did not end")?.map_err(refused)?.key));
        }
    }
    Ok(asks)
}

fn ask(key: String) -> Verify {
    Verify {
        key,
        project: Some("bench".into()),
        environment: Some("production".into()),
        ip: Some(IP.to_string()),
        method: Some("GET".into()),
        path: Some(PATH.into()),
        permissions: Some(PermissionQuery::One(crate::population::PERMISSION.into())),
        ..Verify::default()
    }
}

fn refused(refused: Refused) -> anyhow::Error {
    anyhow!("an act is refused: {refused}")
}
