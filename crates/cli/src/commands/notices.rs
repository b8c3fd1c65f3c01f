//! `keystead notices`: what people are told about their keys, and what became of it.

use crate::exit::{Exit, Outcome};
use crate::flags::named::name;
use crate::flags::paging::Paging;
use crate::flags::project::InProject;
use crate::output::Present;
use crate::output::table::Cell;
use crate::session::Session;
use clap::{Args, Subcommand};
use keystead_sdk::api::Notice;

/// List what people are told about the rotation of their keys, newest first
///
/// Without a mail server (smtp.host) notices wait here to be handed over by hand.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:
  keystead notices --project acme
  keystead notices -p acme --all --json
  keystead notices retry ntc_2qJzK0aXcV5RrT8uYwB3dE --project acme"
)]
pub(crate) struct Notices {
    #[command(subcommand)]
    command: Option<NoticesCommand>,
    /// The project's id or slug
    #[arg(long, short, required = true, env = "KEYSTEAD_PROJECT", hide_env_values = true)]
    project: Option<String>,
    #[command(flatten)]
    paging: Paging,
}

#[derive(Debug, Subcommand)]
enum NoticesCommand {
    Retry(RetryNotice),
}

/// Send a notice now, also one that was given up
///
/// It goes to the addresses that its key's consumer and owner have by now.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  keystead notices retry ntc_2qJzK0aXcV5RrT8uYwB3dE --project acme")]
struct RetryNotice {
    /// The notice's id
    #[arg(value_name = "NOTICE")]
    id: String,
    #[command(flatten)]
    project: InProject,
}

impl Notices {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        if let Some(NoticesCommand::Retry(RetryNotice { id, project })) = self.command {
            session.output.one(&session.client.retry_notice(&project.project, &id).await?)?;
            return Ok(Exit::Done);
        }
        // The grammar demands it where there is no subcommand.
        let project = self.project.unwrap_or_default();
        let fetch = async |page| session.client.list_notices(&project, &page).await;
        session.list(&self.paging, fetch).await
    }
}

impl Present for Notice {
    const HEADINGS: &'static [&'static str] = &["ID", "WRITTEN", "KIND", "KEY", "TO", "STATE", "SUBJECT"];

    fn row(&self) -> Vec<Cell> {
        vec![
            self.id.as_str().into(),
            Cell::time(Some(self.created_at)),
            self.kind.as_str().into(),
            Cell::maybe(self.key_id.as_deref()),
            Cell::list(&self.recipients).shortened(40),
            name(&self.state).into(),
            Cell::from(self.subject.as_str()).shortened(60),
        ]
    }

    fn fields(&self) -> Vec<(&'static str, Cell)> {
        vec![
            ("id", self.id.as_str().into()),
            ("kind", self.kind.as_str().into()),
            ("key", Cell::maybe(self.key_id.as_deref())),
            ("to", Cell::list(&self.recipients)),
            ("state", name(&self.state).into()),
            ("written", Cell::time(Some(self.created_at))),
            ("attempts", self.attempts.to_string().as_str().into()),
            ("delivered", Cell::list(&self.delivered)),
            ("next attempt", Cell::time(self.next_attempt_at)),
            ("sent", Cell::time(self.sent_at)),
            ("last error", Cell::maybe(self.last_error.as_deref())),
            ("fix", Cell::maybe(self.fix.as_deref())),
            ("subject", self.subject.as_str().into()),
            ("text", self.body.as_str().into()),
        ]
    }
}
