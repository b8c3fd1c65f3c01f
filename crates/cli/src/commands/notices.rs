//! `keystead notices`: what people are told about the rotation of their keys.

use crate::exit::Outcome;
use crate::flags::named::name;
use crate::flags::paging::Paging;
use crate::flags::project::InProject;
use crate::output::Present;
use crate::output::table::Cell;
use crate::session::Session;
use clap::Args;
use keystead_sdk::api::Notice;

/// List what people are told about the rotation of their keys, newest first
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  keystead notices --project acme
  keystead notices -p acme --all --json")]
pub(crate) struct Notices {
    #[command(flatten)]
    project: InProject,
    #[command(flatten)]
    paging: Paging,
}

impl Notices {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        let fetch = async |page| session.client.list_notices(&self.project.project, &page).await;
        session.list(&self.paging, fetch).await
    }
}

impl Present for Notice {
    const HEADINGS: &'static [&'static str] = &["WRITTEN", "KIND", "KEY", "TO", "STATE", "SUBJECT"];

    fn row(&self) -> Vec<Cell> {
        vec![
            Cell::time(Some(self.created_at)),
            self.kind.as_str().into(),
            self.key_id.as_str().into(),
            Cell::list(&self.recipients).shortened(40),
            name(&self.state).into(),
            Cell::from(self.subject.as_str()).shortened(60),
        ]
    }

    fn fields(&self) -> Vec<(&'static str, Cell)> {
        vec![
            ("id", self.id.as_str().into()),
            ("kind", self.kind.as_str().into()),
            ("key", self.key_id.as_str().into()),
            ("to", Cell::list(&self.recipients)),
            ("state", name(&self.state).into()),
            ("written", Cell::time(Some(self.created_at))),
            ("subject", self.subject.as_str().into()),
            ("text", self.body.as_str().into()),
        ]
    }
}
