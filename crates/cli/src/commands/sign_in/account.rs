//! `keystead account`: one's own password and second factor.

use super::browser::{Asks, ask};
use super::passkeys::Passkeys;
use super::{is_problem, token_of};
use crate::connection::ConnectionFlags;
use crate::exit::{Exit, Failure, Outcome};
use crate::input;
use crate::output::Output;
use crate::session::Session;
use clap::Subcommand;
use keystead_sdk::api::{
    ChangePassword, OneTimeCode, ProvePassword, ProveSecondFactor, RecoverAccount, RequestRecovery,
};

/// Your own account: password, passkeys, second factor, recovery codes
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  keystead account password
  keystead account passkeys add --name laptop
  keystead account totp setup
  keystead account recover --email ada@example.com

Passwords and codes are asked for without echo, or read from standard
input, one line each: never from an argument.")]
pub(crate) enum Account {
    /// Change your password; your other sessions end
    #[command(after_help = "Examples:\n  keystead account password")]
    Password,
    #[command(subcommand)]
    Passkeys(Passkeys),
    /// A second factor: one-time codes from an app
    #[command(subcommand)]
    Totp(Totp),
    /// New recovery codes in place of the old, printed once
    #[command(after_help = "Examples:\n  keystead account recovery-codes")]
    RecoveryCodes,
    /// Prove the second factor again, for what asks for it
    #[command(after_help = "Examples:\n  keystead account step-up\n  keystead account step-up --passkey")]
    StepUp {
        /// With a passkey, in a browser on this machine
        #[arg(long)]
        passkey: bool,
        /// Only print the URL to open
        #[arg(long, requires = "passkey")]
        no_browser: bool,
    },
    /// Set another password by a link that is mailed to you
    #[command(after_help = "Examples:
  keystead account recover --email ada@example.com
  keystead account recover

With --email the link is asked for; without, it is used: paste it when asked.")]
    Recover {
        /// Have a link mailed to this address
        #[arg(long)]
        email: Option<String>,
    },
}

/// A second factor: one-time codes from an app
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  keystead account totp setup
  keystead account totp remove")]
pub(crate) enum Totp {
    /// Set it up: the secret for the app, then its first code
    #[command(after_help = "Examples:\n  keystead account totp setup")]
    Setup,
    /// Remove it; with the last second factor go the recovery codes
    #[command(after_help = "Examples:\n  keystead account totp remove")]
    Remove,
}

impl Account {
    pub(crate) async fn run(
        self,
        connection: &ConnectionFlags,
        session: impl FnOnce() -> Result<Session, Failure>,
        output: &Output,
    ) -> Outcome {
        match self {
            Self::Password => change_password(&session()?).await,
            Self::Passkeys(passkeys) => passkeys.run(&session()?).await,
            Self::Totp(Totp::Setup) => set_up(&session()?).await,
            Self::Totp(Totp::Remove) => {
                let session = session()?;
                session.client.remove_totp().await?;
                session.deleted("Removed one-time codes as a second factor.")
            }
            Self::RecoveryCodes => {
                let session = session()?;
                let codes = session.client.renew_recovery_codes().await?;
                session.changed(
                    &codes,
                    "These replace the codes from before.",
                    "Keep them safe: each works once.",
                )
            }
            Self::StepUp { passkey, no_browser } => {
                let session = session()?;
                let mut proof = ProveSecondFactor::default();
                if passkey {
                    let begun = session.client.begin_passkey_step_up().await?;
                    proof.passkey = Some(ask(&begun, Asks::Get, &[], (!no_browser, output)).await?);
                } else {
                    proof.code = Some(input::secret("One-time or recovery code")?.to_string());
                }
                let proved = session.client.step_up(&proof).await?;
                session.changed(&proved, "Proved.", "It counts for ten minutes.")
            }
            Self::Recover { email: Some(email) } => {
                let (client, ..) = connection.connect_as_nobody()?;
                client.request_recovery(&RequestRecovery { email }).await?;
                output.note(
                    "If there is such an account, a link is on its way. Then: keystead account recover",
                );
                Ok(Exit::Done)
            }
            Self::Recover { email: None } => recover(connection, output).await,
        }
    }
}

async fn change_password(session: &Session) -> Outcome {
    let change = ChangePassword {
        current: input::secret("Current password")?.to_string(),
        new: input::new_secret("New password")?.to_string(),
    };
    session.client.change_password(&change).await?;
    session.deleted("Changed the password. Your other sessions have ended.")
}

async fn set_up(session: &Session) -> Outcome {
    let password = input::secret("Password")?.to_string();
    let secret = session.client.begin_totp(&ProvePassword { password }).await?;
    // Shown before its code is asked for, and not repeated.
    if session.output.is_json() {
        session.output.json(&secret)?;
    } else {
        session.output.one(&secret)?;
    }
    session.output.note("Add it to an app for one-time codes, then type the code that it shows.");
    let code = input::secret("One-time code")?.to_string();
    let codes = session.client.confirm_totp(&OneTimeCode { code }).await?;
    session.changed(&codes, "The second factor counts from now on.", "Keep these safe: each works once.")
}

async fn recover(connection: &ConnectionFlags, output: &Output) -> Outcome {
    let (client, ..) = connection.connect_as_nobody()?;
    let link = input::secret("Link")?;
    let mut body = RecoverAccount {
        token: token_of(&link).to_owned(),
        password: input::new_secret("New password")?.to_string(),
        ..RecoverAccount::default()
    };
    let mut done = client.recover_account(&body).await;
    if done.as_ref().is_err_and(|error| is_problem(error, "second_factor_required")) {
        body.code = Some(input::secret("One-time or recovery code")?.to_string());
        done = client.recover_account(&body).await;
    }
    done?;
    output.note("Changed the password. Every session has ended. Next: keystead sign-in");
    Ok(Exit::Done)
}
