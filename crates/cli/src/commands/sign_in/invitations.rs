//! `keystead invitations`: how members join.

use super::{is_problem, token_of};
use crate::connection::ConnectionFlags;
use crate::exit::{Exit, Failure, Outcome};
use crate::input;
use crate::output::Output;
use crate::session::Session;
use clap::Subcommand;
use keystead_sdk::api::AcceptInvitation;

/// Invitations: how members join
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  keystead invitations create ada@example.com
  keystead invitations accept --url https://keystead.example.com")]
pub(crate) enum Invitations {
    /// Invite a member who has not joined, in place of the invitation before
    #[command(after_help = "Examples:
  keystead invitations create ada@example.com
  keystead invitations create mem_0f8Qv2m5cXb1nT7yLrKw3e --json

Where the server sends no e-mail the link is printed: hand it to the person.
It works once, for seven days.")]
    Create {
        /// The member's id or e-mail address
        member: String,
    },
    /// Accept an invitation: paste its link, choose a password
    #[command(after_help = "Examples:
  keystead invitations accept --url https://keystead.example.com
  keystead invitations accept --name 'Ada Lovelace'

Link and password are asked for without echo, or read from standard input,
one line each. Where the address has an account, its own password is asked.")]
    Accept {
        /// Your name; as your administrator wrote it when left out
        #[arg(long)]
        name: Option<String>,
    },
}

impl Invitations {
    pub(crate) async fn run(
        self,
        connection: &ConnectionFlags,
        session: impl FnOnce() -> Result<Session, Failure>,
        output: &Output,
    ) -> Outcome {
        match self {
            Self::Create { member } => {
                let session = session()?;
                let invited = session.client.invite_member(&member).await?;
                let next = if invited.mailed {
                    "The link is on its way by e-mail."
                } else {
                    "Hand the link to the person: it is shown only now."
                };
                session.changed(&invited, &format!("Invited {}.", invited.email), next)
            }
            Self::Accept { name } => accept(name, connection, output).await,
        }
    }
}

async fn accept(name: Option<String>, connection: &ConnectionFlags, output: &Output) -> Outcome {
    let (client, ..) = connection.connect_as_nobody()?;
    let link = input::secret("Link")?;
    let mut body = AcceptInvitation {
        token: token_of(&link).to_owned(),
        password: input::new_secret("Password")?.to_string(),
        name,
        ..AcceptInvitation::default()
    };
    let mut joined = client.accept_invitation(&body).await;
    if joined.as_ref().is_err_and(|error| is_problem(error, "second_factor_required")) {
        body.code = Some(input::secret("One-time or recovery code")?.to_string());
        joined = client.accept_invitation(&body).await;
    }
    let joined = joined?;
    output.note(&format!("Joined {}. Next: keystead sign-in --email {}", joined.organization, joined.email));
    output.one(&joined)?;
    Ok(Exit::Done)
}
