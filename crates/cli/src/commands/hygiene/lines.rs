//! A report for other programs: comma-separated values, or one JSON object a line.

use crate::exit::Failure;
use crate::flags::named::name;
use crate::output::plain::{plain, plain_json};
use keystead_sdk::api::{HygieneFinding, HygieneKey, Timestamp};
use std::io;

const HEADINGS: [&str; 16] = [
    "score",
    "key",
    "name",
    "project",
    "environment",
    "kind",
    "administrative",
    "owner",
    "created_at",
    "last_used_at",
    "finding",
    "severity",
    "weight",
    "detail",
    "fix",
    "command",
];

/// How it is written.
#[derive(Debug, Clone, Copy)]
pub(super) enum Form {
    /// One finding a line.
    Csv,
    /// One key a line.
    Ndjson,
}

impl Form {
    /// What stands before everything.
    pub(super) fn head(self) -> Result<String, Failure> {
        match self {
            Self::Csv => csv([HEADINGS.map(str::to_owned)]),
            Self::Ndjson => Ok(String::new()),
        }
    }

    pub(super) fn lines(self, keys: &[HygieneKey]) -> Result<String, Failure> {
        match self {
            Self::Csv => {
                csv(keys.iter().flat_map(|key| key.findings.iter().map(move |finding| row(key, finding))))
            }
            Self::Ndjson => {
                let mut text = String::new();
                for key in keys {
                    text.push_str(&plain_json(&serde_json::to_string(key).map_err(io::Error::from)?));
                    text.push('\n');
                }
                Ok(text)
            }
        }
    }
}

fn row(key: &HygieneKey, finding: &HygieneFinding) -> [String; HEADINGS.len()] {
    let time = |at: Option<Timestamp>| at.map(|at| at.to_string()).unwrap_or_default();
    [
        key.score.to_string(),
        key.id.clone(),
        key.name.clone(),
        key.project.clone(),
        key.environment.clone(),
        name(&key.kind),
        key.administrative.to_string(),
        key.owner.name.clone(),
        time(Some(key.created_at)),
        time(key.last_used_at),
        name(&finding.code),
        name(&finding.severity),
        finding.weight.to_string(),
        finding.detail.clone(),
        finding.fix.clone(),
        finding.command.clone().unwrap_or_default(),
    ]
}

/// RFC 4180, by the rows.
fn csv<const N: usize>(rows: impl IntoIterator<Item = [String; N]>) -> Result<String, Failure> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    for row in rows {
        writer.write_record(row.iter().map(|cell| harmless(cell))).map_err(io::Error::other)?;
    }
    let bytes = writer.into_inner().map_err(|error| io::Error::other(error.to_string()))?;
    Ok(String::from_utf8(bytes).map_err(io::Error::other)?)
}

/// A spreadsheet runs a cell that begins like a formula (OWASP, "CSV Injection"), and names are chosen by others:
/// an apostrophe makes it a text. What a terminal would obey is taken out, tabs and returns with it.
fn harmless(cell: &str) -> String {
    let text = plain(cell);
    // Some begin a formula with the wide forms, too; and spaces before are skipped.
    let formula = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];
    if text.trim_start().starts_with(formula) { format!("'{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula_and_every_cell_is_read_back() {
        for (cell, written) in [
            ("=1+1", "'=1+1"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("  =1", "'  =1"),
            ("\t=1", "\u{fffd}=1"),
            ("＝1", "'＝1"),
            ("a=b", "a=b"),
            ("x,\"y\"", "x,\"y\""),
            ("", ""),
        ] {
            let text = csv([[cell.to_owned(), "end".to_owned()]]).unwrap();
            assert!(text.ends_with(",end\r\n"), "{text:?}");
            let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
            let record = reader.records().next().unwrap().unwrap();
            assert_eq!(&record[0], written, "{cell:?}");
        }
    }
}
