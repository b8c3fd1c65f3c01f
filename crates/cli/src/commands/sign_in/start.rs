//! `keystead sign-in`: signs in as oneself and stores the session for later commands.

use super::browser::{Asks, ask};
use super::is_problem;
use super::sso::Sso;
use crate::connection::ConnectionFlags;
use crate::credentials::{self, Credentials};
use crate::exit::{Exit, Failure, Outcome};
use crate::input;
use crate::output::Output;
use clap::Args;
use keystead_sdk::Client;
use keystead_sdk::api::{SignIn as Body, SignInWithPasskey, SignedIn};
use std::io::{self, IsTerminal};
use zeroize::Zeroize;

/// Sign in as yourself, and store the session for later commands
///
/// Password and one-time code are asked for without echo, or read from standard input, one line each:
/// never from an argument. The session's token is stored where keystead login stores a key, in place of
/// it, readable by you only; it ends after some hours, or with keystead sign-out.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  keystead sign-in
  keystead sign-in --url https://keystead.example.com --email ada@example.com
  keystead sign-in --email ada@example.com --organization acme
  keystead sign-in --passkey
  keystead sign-in --sso acme/corp

Next: keystead sessions list, keystead account passkeys add --name laptop")]
pub(crate) struct SignIn {
    /// Your account's e-mail address; asked for when left out
    #[arg(long)]
    email: Option<String>,
    /// The organization's slug, where you are in several
    #[arg(long)]
    organization: Option<String>,
    /// With a passkey and nothing else, in a browser on this machine
    #[arg(long, group = "browser", conflicts_with = "email")]
    passkey: bool,
    /// Through the organization's identity provider, in a browser on this machine
    #[arg(long, group = "browser", value_name = "ORGANIZATION[/PROVIDER]", conflicts_with_all = ["email", "organization"])]
    sso: Option<String>,
    /// Have the provider ask you again, for what needs a second factor
    #[arg(long, requires = "sso")]
    again: bool,
    /// Only print the URL to open
    #[arg(long, requires = "browser")]
    no_browser: bool,
}

impl SignIn {
    pub(crate) async fn run(&self, connection: &ConnectionFlags, output: &Output) -> Outcome {
        let path = credentials::path()?;
        let (client, ca_file, allow_plain_http) = connection.connect_as_nobody()?;
        let mut signed_in = match &self.sso {
            Some(named) => {
                let sso = Sso { named, again: self.again, opens_browser: !self.no_browser };
                sso.sign_in(&client, output).await?
            }
            None if self.passkey => self.with_passkey(&client, output).await?,
            None => self.with_password(&client, output).await?,
        };
        let token = signed_in.token.take().unwrap_or_default();
        let url = client.url().to_owned();
        credentials::write(&path, &Credentials { url, key: token.into(), ca_file, allow_plain_http })?;
        let current = &signed_in.current;
        output.note(&format!(
            "Signed in to {} as {} until {}.",
            current.session.organization, current.email, current.session.expires_at
        ));
        if input::environment("KEYSTEAD_KEY")?.is_some() {
            output.warning("KEYSTEAD_KEY is set and wins over what was stored: unset it to use the session.");
        }
        if !current.second_factor && self.sso.is_none() {
            output.note("Next: keystead account passkeys add --name laptop, for a second factor");
        }
        if output.is_json() {
            output.json(&current.session)?;
        }
        Ok(Exit::Done)
    }

    async fn with_passkey(&self, client: &Client, output: &Output) -> Result<SignedIn, Failure> {
        let begun = client.begin_passkey_sign_in().await?;
        let passkey = ask(&begun, Asks::Get, &[], (!self.no_browser, output)).await?;
        let organization = self.organization.clone();
        Ok(client.sign_in_with_passkey(&SignInWithPasskey { passkey, organization, token: true }).await?)
    }

    async fn with_password(&self, client: &Client, output: &Output) -> Result<SignedIn, Failure> {
        let email = match &self.email {
            Some(email) => email.clone(),
            None if io::stdin().is_terminal() => input::ask("E-mail", "")?,
            None => return Err(Failure::usage("There is no e-mail address.", "Give it with --email.")),
        };
        let mut body = Body {
            email,
            password: input::secret("Password")?.to_string(),
            organization: self.organization.clone(),
            token: true,
            ..Body::default()
        };
        let mut answer = client.sign_in(&body).await;
        if answer.as_ref().is_err_and(|error| is_problem(error, "second_factor_required")) {
            output.note("Where your second factor is a passkey, stop here: keystead sign-in --passkey.");
            body.code = Some(input::secret("One-time or recovery code")?.to_string());
            answer = client.sign_in(&body).await;
        }
        body.password.zeroize();
        Ok(answer?)
    }
}
