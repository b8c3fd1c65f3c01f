//! `keystead nodes`: the servers that share one database, for the installation's operator.

use crate::exit::Outcome;
use crate::output::Present;
use crate::output::table::Cell;
use crate::session::Session;
use clap::Args;
use keystead_sdk::api::Node;

/// List the servers that share one database, for the installation's operator
///
/// Each gives a sign of life every second; one that gave none for a minute is
/// taken off the list.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  keystead nodes\n  keystead nodes --json")]
pub(crate) struct Nodes;

impl Nodes {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        session.whole(&session.client.list_nodes().await?)
    }
}

impl Present for Node {
    const HEADINGS: &'static [&'static str] = &["ID", "NAME", "VERSION", "STARTED", "SEEN", "BEHIND"];

    fn row(&self) -> Vec<Cell> {
        vec![
            self.id.as_str().into(),
            Cell::from(self.name.as_str()).shortened(48),
            self.version.as_str().into(),
            Cell::time(Some(self.started_at)),
            Cell::time(Some(self.seen_at)),
            self.feed_behind.to_string().into(),
        ]
    }

    fn fields(&self) -> Vec<(&'static str, Cell)> {
        vec![
            ("id", self.id.as_str().into()),
            ("name", self.name.as_str().into()),
            ("version", self.version.as_str().into()),
            ("started", Cell::time(Some(self.started_at))),
            ("seen", Cell::time(Some(self.seen_at))),
            ("feed mark", self.feed_mark.to_string().into()),
            ("feed behind", self.feed_behind.to_string().into()),
        ]
    }
}
