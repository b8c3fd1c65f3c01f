//! Signing in and out, one's own account and sessions, invitations and contacts: what people do as themselves, or
//! as nobody.

mod account;
mod browser;
mod contacts;
mod invitations;
mod loopback;
mod passkeys;
mod present;
mod sessions;
mod sso;
mod start;

use crate::connection::ConnectionFlags;
use crate::credentials;
use crate::exit::{Exit, Outcome};
use crate::output::Output;
use crate::session::Session;
use account::Account;
use clap::{Args, Subcommand};
use contacts::Contacts;
use invitations::Invitations;
use keystead_sdk::Error;
use keystead_sdk::api::Timestamp;
use sessions::Sessions;
use start::SignIn;

/// What people do as themselves.
#[derive(Debug, Subcommand)]
pub(crate) enum SignInCommand {
    SignIn(SignIn),
    SignOut(SignOut),
    #[command(subcommand)]
    Sessions(Sessions),
    #[command(subcommand)]
    Account(Account),
    #[command(subcommand)]
    Invitations(Invitations),
    #[command(subcommand)]
    Contacts(Contacts),
}

/// End the session that keystead sign-in began, and forget its token
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  keystead sign-out")]
pub(crate) struct SignOut {}

impl SignInCommand {
    pub(crate) async fn run(self, connection: &ConnectionFlags, output: Output, now: Timestamp) -> Outcome {
        let session = || Ok(Session { client: connection.connect()?, output, now });
        match self {
            Self::SignIn(sign_in) => sign_in.run(connection, &output).await,
            Self::SignOut(SignOut {}) => sign_out(&session()?).await,
            Self::Sessions(sessions) => sessions.run(&session()?).await,
            Self::Account(account) => account.run(connection, session, &output).await,
            Self::Invitations(invitations) => invitations.run(connection, session, &output).await,
            Self::Contacts(contacts) => contacts.run(connection, session, &output).await,
        }
    }
}

async fn sign_out(session: &Session) -> Outcome {
    session.client.end_session("current").await?;
    let path = credentials::path()?;
    if credentials::read(&path)?.is_some_and(|stored| is_session(stored.key.expose())) {
        credentials::remove(&path)?;
    }
    session.output.note("Signed out.");
    Ok(Exit::Done)
}

/// Whether what is stored is a session's token and no key.
fn is_session(key: &str) -> bool {
    key.starts_with("kss_")
}

/// Whether an error is a problem of that code.
fn is_problem(error: &Error, code: &str) -> bool {
    matches!(error, Error::Problem { problem, .. } if problem.code == code)
}

/// The token in a link, or the token itself.
fn token_of(link: &str) -> &str {
    let link = link.trim();
    link.rsplit_once('#').map_or(link, |(_, token)| token)
}
