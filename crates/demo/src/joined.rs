//! The demo's people join, sign in as themselves, and each makes a key of their own.

use crate::content::{OwnKey, People, Person};
use crate::kept::{self, ENVIRONMENT, PROJECT};
use crate::memory::{keep, key_of, password_of, recall};
use anyhow::{Context, Result};
use getrandom::SysRng;
use getrandom::rand_core::TryRng;
use keystead_sdk::Client;
use keystead_sdk::api::{AcceptInvitation, CreateKey, SignIn};
use std::path::Path;

/// Makes the keys that are missing, each by the person whose it is; says what was made.
pub(crate) async fn fill(admin: &Client, data: &Path, people: &People) -> Result<String> {
    let (mut made, mut unknown) = (0, Vec::new());
    for person in &people.members {
        let (Some(own), name) = (&person.key, name(person)) else { continue };
        let file = key_of(name);
        if kept::is_kept(admin, data, &file).await? {
            continue;
        }
        match sign_in(admin, data, person).await.with_context(|| name.to_owned())? {
            Some(session) => {
                let new = new_key(name, own);
                kept::make(admin, &session, data, &file, PROJECT, new).await.with_context(|| file.clone())?;
                made += 1;
            }
            None => unknown.push(name),
        }
    }
    Ok(match (made, unknown.as_slice()) {
        (0, []) => "People's own keys: everything is there".to_owned(),
        (made, []) => format!("People's own keys: made {made}, each by the person whose it is"),
        (made, unknown) => {
            let unknown = unknown.join(", ");
            format!("People's own keys: made {made}; the passwords of {unknown} are not in the data folder")
        }
    })
}

/// Before the `@` of the address.
fn name(person: &Person) -> &str {
    person.new.email.split('@').next().unwrap_or_default()
}

fn new_key(name: &str, own: &OwnKey) -> CreateKey {
    CreateKey {
        name: format!("{name}'s laptop"),
        environment: ENVIRONMENT.to_owned(),
        owner: own.team.is_none().then(|| "me".to_owned()),
        team: own.team.clone(),
        permissions: own.permissions.clone(),
        roles: own.roles.clone(),
        tags: vec![format!("tour:{name}")],
        ..CreateKey::default()
    }
}

/// Signs a person in, who joins first where they have not; `None` when somebody else set their password.
async fn sign_in(admin: &Client, data: &Path, person: &Person) -> Result<Option<Client>> {
    let email = &person.new.email;
    let has_joined = admin.member(email).await?.joined_at.is_some();
    let file = password_of(name(person));
    let password = match recall(data, &file)? {
        Some(password) => password,
        None if has_joined => return Ok(None),
        None => {
            let password = new_password()?;
            keep(data, &file, &password)?;
            password
        }
    };
    let stranger = Client::builder().url(admin.url()).build()?;
    if !has_joined {
        let invitation = admin.invite_member(email).await?;
        let link = invitation.link.context("the server mails invitations: the demo cannot accept them")?;
        let token = link.split_once('#').context("an invitation without a token")?.1.to_owned();
        let accept = AcceptInvitation { token, password: password.clone(), ..AcceptInvitation::default() };
        stranger.accept_invitation(&accept).await?;
    }
    let proof = SignIn { email: email.clone(), password, token: true, ..SignIn::default() };
    let token = stranger.sign_in(&proof).await?.token.context("a session without a token")?;
    Ok(Some(Client::new(admin.url(), token)?))
}

/// 128 bits from the operating system's generator.
fn new_password() -> Result<String> {
    let word = || SysRng.try_next_u64().context("the operating system has no random numbers");
    Ok(format!("{:016x}{:016x}", word()?, word()?))
}
