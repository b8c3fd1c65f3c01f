//! `keystead audit export`: the whole audit with what is needed to verify it, or as a table.

use super::rows::{COLUMNS, row};
use crate::exit::{Exit, Failure, Outcome};
use crate::output::csv::csv;
use crate::output::progress::Progress;
use crate::session::Session;
use clap::Args;
use keystead_sdk::api::AuditExportLine;
use serde_json::{Map, Value};

/// Records between two signs of progress.
const STEP: u64 = 500;

/// Export the whole audit: one JSON object a line, or CSV
///
/// The lines of JSON have what keystead audit verify needs: each record's salt and
/// leaf, and the signed checkpoints. The CSV is for reading: it cannot be verified.
/// That it was exported is recorded, too.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  keystead audit export > audit.ndjson
  keystead audit export --csv > audit.csv
  keystead audit export | jq -c 'select(.type == \"record\").data.record'")]
pub(super) struct Export {
    /// As a table: comma-separated, with a heading
    #[arg(long)]
    csv: bool,
}

impl Export {
    pub(super) async fn run(self, session: &Session) -> Outcome {
        let progress = Progress::new("records", !session.output.is_json());
        let mut lines = session.client.export_audit().await?;
        let (mut done, mut size) = (0, 0);
        if self.csv {
            session.output.data(&csv([COLUMNS.map(str::to_owned)])?)?;
        }
        while let Some(line) = lines.next().await? {
            match &line {
                AuditExportLine::Head(head) => size = head.size,
                AuditExportLine::Record(_) | AuditExportLine::Deleted(_) => done += 1,
                AuditExportLine::Checkpoint(_) | AuditExportLine::End(_) => {}
            }
            if self.csv {
                if let AuditExportLine::Record(record) = &line {
                    let record: Map<String, Value> =
                        serde_json::from_str(record.record.get()).map_err(std::io::Error::from)?;
                    session.output.data(&csv([row(&record)])?)?;
                }
            } else {
                write_line(session, &line)?;
            }
            if done % STEP == 0 {
                progress.at(done, size);
            }
        }
        progress.at(done, size);
        if !self.csv {
            session.output.note("Next: keystead audit verify --export FILE");
        }
        Ok(Exit::Done)
    }
}

fn write_line(session: &Session, line: &AuditExportLine) -> Result<(), Failure> {
    let mut text = serde_json::to_string(line).map_err(std::io::Error::from)?;
    text.push('\n');
    session.output.data(&text)
}
