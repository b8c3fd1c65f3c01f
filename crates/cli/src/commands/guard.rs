//! `keystead guard`: put key authentication in front of an API that exists.

mod import;
mod key;
mod present;
mod recipe;

use crate::exit::Outcome;
use crate::flags::body::{Source, json};
use crate::flags::project::{Expecting, InProject};
use crate::output::plain::plain;
use crate::session::Session;
use clap::{Args, Subcommand, ValueEnum};
use import::Import;
use key::Key;
use keystead_sdk::api::{GuardMode, PageQuery, SetGuardMode};
use recipe::Recipe;

/// Put key authentication in front of an API that exists
///
/// First import its routes, then let a proxy ask Keystead about each request: at first only
/// observing who would be refused, then enforcing.
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  keystead guard import openapi.yaml -p shop --mode observe --apply
  keystead guard recipe nginx -p shop -e live --upstream 127.0.0.1:3000
  keystead guard report -p shop
  keystead guard mode enforce -p shop")]
pub(crate) enum Guard {
    Import(Import),
    Recipe(Recipe),
    Key(Key),
    Report(Report),
    Mode(Mode),
    Show(Show),
    Set(Set),
}

/// Show how a project's API is guarded
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  keystead guard show -p shop
  keystead guard show -p shop --json")]
pub(crate) struct Show {
    #[command(flatten)]
    project: InProject,
}

/// Replace how a project's API is guarded by what a file says
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  keystead guard set -p shop --from-json guard.json
  keystead guard set -p shop --from-json -
docs/GUARD.md describes the fields; `rules` of keystead guard show --json has
those in force.")]
pub(crate) struct Set {
    #[command(flatten)]
    project: InProject,
    /// The whole guard as JSON; `-` reads standard input
    #[arg(long, value_name = "FILE|-")]
    from_json: Source,
    #[command(flatten)]
    expecting: Expecting,
}

/// Observe who would be refused, or refuse; of all routes or some
///
/// It holds for the next request, and is undone as quickly.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  keystead guard mode enforce -p shop --route 'GET /orders/*'
  keystead guard mode enforce -p shop
  keystead guard mode observe -p shop
  keystead guard mode follow -p shop --route listOrders")]
pub(crate) struct Mode {
    /// What becomes of requests that are not allowed; `follow` lets routes follow the guard again
    mode: Word,
    #[command(flatten)]
    project: InProject,
    /// Only for this route: its operation, or as `GET /orders/*`; can be repeated
    #[arg(long, value_name = "ROUTE", required_if_eq("mode", "follow"))]
    route: Vec<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Word {
    /// They pass, and are in the report
    Observe,
    /// They are refused
    Enforce,
    /// As the guard says
    Follow,
}

/// List who would be refused and why, the most frequent first
///
/// Of requests that passed because their guard or route observes. A row goes 30 days after its
/// last request.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  keystead guard report -p shop
  keystead guard report -p shop --json")]
pub(crate) struct Report {
    #[command(flatten)]
    project: InProject,
}

impl Guard {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        match self {
            Self::Import(import) => import.run(session).await,
            Self::Recipe(recipe) => recipe.run(session).await,
            Self::Key(key) => key.run(session).await,
            Self::Report(report) => report.run(session).await,
            Self::Mode(mode) => mode.run(session).await,
            Self::Show(show) => present::view(session, &session.client.guard(&show.project.project).await?),
            Self::Set(set) => set.run(session).await,
        }
    }
}

impl Report {
    async fn run(self, session: &Session) -> Outcome {
        let page = PageQuery { limit: Some(1_000), ..PageQuery::default() };
        let report = session.client.guard_report(&self.project.project, &page).await?;
        if report.items.is_empty() {
            session.output.note("Nobody would be refused so far; what comes is here within seconds.");
        }
        session.whole(&report)
    }
}

impl Mode {
    async fn run(self, session: &Session) -> Outcome {
        let mode = match self.mode {
            Word::Observe => Some(GuardMode::Observe),
            Word::Enforce => Some(GuardMode::Enforce),
            Word::Follow => None,
        };
        let input = SetGuardMode { mode, routes: self.route };
        let project = plain(&self.project.project);
        let set = session.client.set_guard_mode(&self.project.project, &input).await?;
        let next = match mode {
            Some(GuardMode::Enforce) => {
                format!(
                    "It holds for the next request. Back at once: keystead guard mode observe -p {project}"
                )
            }
            _ => format!("It holds for the next request. Next: keystead guard report -p {project}"),
        };
        session.output.note(&next);
        present::view(session, &set)
    }
}

impl Set {
    async fn run(self, session: &Session) -> Outcome {
        let guard = json(&self.from_json)?;
        let project = &self.project.project;
        let set = session.client.set_guard(project, &guard, self.expecting.if_match).await?;
        session.output.note("Set the guard; it holds for the next request.");
        present::view(session, &set)
    }
}
