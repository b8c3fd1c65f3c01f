//! `keystead audit checkpoints`: what the audit was, signed.

use crate::exit::Outcome;
use crate::flags::paging::Paging;
use crate::output::Present;
use crate::output::table::Cell;
use crate::session::Session;
use clap::Args;
use keystead_sdk::api::AuditCheckpoint;

/// List the signed checkpoints of the audit, newest first
///
/// Keep one of them, and the verifier, where nobody can change it together with
/// the database: keystead audit verify then finds what was changed since.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  keystead audit checkpoints
  keystead audit checkpoints --limit 1 --json | jq -r .items[0].note > kept.txt
  keystead audit checkpoints --limit 1 --json | jq -r .items[0].verifier")]
pub(super) struct Checkpoints {
    #[command(flatten)]
    paging: Paging,
}

impl Checkpoints {
    pub(super) async fn run(self, session: &Session) -> Outcome {
        session.list(&self.paging, async |page| session.client.list_audit_checkpoints(&page).await).await
    }
}

impl Present for AuditCheckpoint {
    const HEADINGS: &'static [&'static str] = &["AT", "RECORDS", "ROOT", "VERIFIER"];

    fn row(&self) -> Vec<Cell> {
        vec![
            Cell::time(Some(self.created_at)),
            self.size.to_string().into(),
            // The third line of a note is its root.
            self.note.lines().nth(2).unwrap_or_default().into(),
            self.verifier.as_str().into(),
        ]
    }

    fn fields(&self) -> Vec<(&'static str, Cell)> {
        vec![
            ("id", self.id.as_str().into()),
            ("at", Cell::time(Some(self.created_at))),
            ("records", self.size.to_string().into()),
            ("verifier", self.verifier.as_str().into()),
            ("note", self.note.as_str().into()),
        ]
    }
}
