//! A report for other programs: comma-separated values, or one JSON object a line.

use crate::exit::Failure;
use crate::flags::named::name;
use crate::output::csv::csv;
use crate::output::plain::plain_json;
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
