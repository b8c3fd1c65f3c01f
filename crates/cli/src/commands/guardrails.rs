//! `keystead guardrails`: what keys may be at most.

mod present;
mod rules;
mod set;

use crate::exit::Outcome;
use crate::flags::paging::Paging;
use crate::flags::project::InProject;
use crate::session::Session;
use clap::{Args, Subcommand};
use set::Set;

/// Guardrails: what keys may be at most, of the organization and of each project
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  keystead guardrails show --project acme
  keystead guardrails set --organization --lifetime-max 365d --dry-run
  keystead guardrails report --project acme")]
pub(crate) enum Guardrails {
    Show(Show),
    Set(Box<Set>),
    Report(Report),
}

/// Show all that holds, and where it comes from
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  keystead guardrails show --organization
  keystead guardrails show --project acme
  keystead guardrails show --project acme --json")]
pub(crate) struct Show {
    #[command(flatten)]
    whose: Whose,
}

/// List the keys of a project that violate a guardrail now
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  keystead guardrails report --project acme
  keystead guardrails report -p acme --all --json")]
pub(crate) struct Report {
    #[command(flatten)]
    project: InProject,
    #[command(flatten)]
    paging: Paging,
}

/// Whose guardrails. Neither is a default: the organization's hold in every project.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Whose {
    /// The organization's: they hold in every project
    #[arg(long)]
    organization: bool,
    /// A project's (id or slug): they hold besides the organization's
    #[arg(long, short)]
    project: Option<String>,
}

impl Guardrails {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        match self {
            Self::Show(show) => {
                let view = session.client.guardrails(show.whose.project.as_deref()).await?;
                present::view(session, &view)
            }
            Self::Set(set) => set.run(session).await,
            Self::Report(report) => {
                let project = report.project.project;
                let fetch = async |page| session.client.guardrails_report(&project, &page).await;
                session.list(&report.paging, fetch).await
            }
        }
    }
}
