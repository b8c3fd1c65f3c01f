//! `keystead account passkeys`: one's own passkeys.

use super::browser::{Asks, ask};
use crate::exit::Outcome;
use crate::input;
use crate::session::Session;
use clap::Subcommand;
use keystead_sdk::api::{AddPasskey, BeginPasskey, UpdatePasskey};

/// Passkeys: sign in with a device that you unlock
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  keystead account passkeys add --name laptop
  keystead account passkeys list
  keystead account passkeys rename pky_0f8Qv2m5cXb1nT7yLrKw3e --name phone
  keystead account passkeys delete pky_0f8Qv2m5cXb1nT7yLrKw3e

A passkey is a second factor, and a way in that needs no password:
keystead sign-in --passkey. Deleting one asks for the second factor.")]
pub(crate) enum Passkeys {
    /// Add one, in a browser on this machine
    #[command(after_help = "Examples:
  keystead account passkeys add --name laptop
  keystead account passkeys add --name key --no-browser

Where the account has no second factor yet, its password is asked for, and
recovery codes are printed once.")]
    Add {
        /// What to call it
        #[arg(long)]
        name: String,
        /// Only print the URL to open
        #[arg(long)]
        no_browser: bool,
    },
    /// List yours, newest first
    #[command(after_help = "Examples:
  keystead account passkeys list
  keystead account passkeys list --json")]
    List,
    /// Give one another name
    #[command(after_help = "Examples:
  keystead account passkeys rename pky_0f8Qv2m5cXb1nT7yLrKw3e --name phone")]
    Rename {
        /// Its id
        passkey: String,
        /// What to call it
        #[arg(long)]
        name: String,
    },
    /// Delete one; your other sessions end
    #[command(after_help = "Examples:
  keystead account passkeys delete pky_0f8Qv2m5cXb1nT7yLrKw3e")]
    Delete {
        /// Its id
        passkey: String,
    },
}

impl Passkeys {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        match self {
            Self::Add { name, no_browser } => add(session, &name, !no_browser).await,
            Self::List => session.whole(&session.client.list_passkeys().await?),
            Self::Rename { passkey, name } => {
                let named = session
                    .client
                    .update_passkey(&passkey, &UpdatePasskey { name: Some(name) }, None)
                    .await?;
                session.changed(&named, "Renamed it.", "The passkey itself is as it was.")
            }
            Self::Delete { passkey } => {
                session.client.delete_passkey(&passkey, None).await?;
                session.deleted("Deleted the passkey. Your other sessions have ended.")
            }
        }
    }
}

async fn add(session: &Session, name: &str, opens_browser: bool) -> Outcome {
    let has_one = session.client.current_session().await?.second_factor;
    let password = if has_one { None } else { Some(input::secret("Password")?.to_string()) };
    let begun = session.client.begin_passkey(&BeginPasskey { password }).await?;
    let made: AddPasskey =
        ask(&begun, Asks::Create, &[("name", name)], (opens_browser, &session.output)).await?;
    let added = session.client.add_passkey(&made).await?;
    let next = if added.recovery_codes.is_some() {
        "Keep the recovery codes safe: each works once, when you have no passkey at hand."
    } else {
        "Next time: keystead sign-in --passkey"
    };
    session.changed(&added, "Added the passkey.", next)
}
