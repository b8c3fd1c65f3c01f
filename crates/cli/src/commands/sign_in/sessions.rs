//! `keystead sessions`: where one is signed in.

use crate::exit::Outcome;
use crate::flags::paging::Paging;
use crate::session::Session;
use clap::Subcommand;

/// Sessions: where you are signed in
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  keystead sessions list
  keystead sessions revoke ses_0f8Qv2m5cXb1nT7yLrKw3e")]
pub(crate) enum Sessions {
    /// List your sessions, newest first
    #[command(after_help = "Examples:\n  keystead sessions list\n  keystead sessions list --json")]
    List(Paging),
    /// End one of your sessions, or all of a member's
    #[command(after_help = "Examples:
  keystead sessions revoke ses_0f8Qv2m5cXb1nT7yLrKw3e
  keystead sessions revoke --member ada@example.com")]
    Revoke {
        /// Its id; `current` is the one that asks
        #[arg(required_unless_present = "member")]
        session: Option<String>,
        /// Every session of this member (id or e-mail), as an administrator
        #[arg(long, conflicts_with = "session")]
        member: Option<String>,
    },
}

impl Sessions {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        match self {
            Self::List(paging) => {
                session.list(&paging, async |page| session.client.list_sessions(&page).await).await
            }
            Self::Revoke { member: Some(member), .. } => {
                session.client.end_member_sessions(&member).await?;
                session.deleted(&format!("Ended every session of {member} in this organization."))
            }
            Self::Revoke { session: id, member: None } => {
                let id = id.as_deref().unwrap_or("current");
                session.client.end_session(id).await?;
                session.deleted(&format!("Ended session {id}."))
            }
        }
    }
}
