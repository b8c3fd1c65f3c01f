//! Trying policies on cases: which requests they forbid, before they are in force.

use super::write::TEXT_BYTES_MAX;
use crate::exit::{Exit, Failure, Outcome};
use crate::flags::body::Source;
use crate::output::Present;
use crate::session::Session;
use clap::Args;
use keystead_sdk::api::{PolicyCase, PolicyCaseResult, TestPolicies};
use serde::Deserialize;
use std::path::PathBuf;

/// The longest file of cases that is read, in bytes.
const CASES_BYTES_MAX: u64 = 1 << 20;

/// Try policies on cases, before they are in force
///
/// Each case describes a request and what is expected. The policies in force are asked, too. Nothing is
/// changed. Fails (exit code 1) when a case comes out otherwise than expected.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  keystead policies test --policy night.cedar --cases night.toml
  keystead policies test --policy night.cedar --replace night --cases c.json
  keystead policies test --cases all.toml

A case in TOML (docs/POLICIES.md has more):
  [[cases]]
  name = 'CI from elsewhere'
  project = 'registry'
  environment = 'production'
  principal = { tags = ['ci'] }
  ip = '192.0.2.1'
  expect = 'forbid'
  by = 'candidate'")]
pub(crate) struct Test {
    /// The file with the text to try; `-` reads standard input; none: only what is in force
    #[arg(long, value_name = "FILE|-")]
    policy: Option<Source>,
    /// The saved policy, by id or name, in whose place the text is tried
    #[arg(long, value_name = "POLICY")]
    replace: Option<String>,
    /// The project that a new policy would be for, by id or slug
    #[arg(long, conflicts_with = "replace")]
    project: Option<String>,
    /// The file with the cases: JSON where it is named so, else TOML
    #[arg(long, value_name = "FILE")]
    cases: PathBuf,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cases {
    cases: Vec<PolicyCase>,
}

impl Test {
    pub(super) async fn run(self, session: &Session) -> Outcome {
        let test = TestPolicies {
            policy: self.replace,
            text: self.policy.map(|source| source.read(TEXT_BYTES_MAX)).transpose()?,
            project: self.project,
            cases: read(self.cases)?,
        };
        let result = session.client.test_policies(&test).await?;
        if session.output.is_json() {
            session.output.json(&result)?;
        } else {
            let rows: Vec<_> = result.cases.iter().map(Present::row).collect();
            session.output.columns(PolicyCaseResult::HEADINGS, &rows)?;
        }
        let failed = result.cases.iter().filter(|case| !case.passed).count();
        if result.passed {
            session.output.note(&format!("All {} cases came out as expected.", result.cases.len()));
            return Ok(Exit::Done);
        }
        session
            .output
            .note(&format!("{failed} of {} cases did not come out as expected.", result.cases.len()));
        Ok(Exit::Refused)
    }
}

fn read(file: PathBuf) -> Result<Vec<PolicyCase>, Failure> {
    let is_json = file.extension().is_some_and(|extension| extension == "json");
    let text = Source::File(file).read(CASES_BYTES_MAX)?;
    let read: Result<Cases, String> = if is_json {
        serde_json::from_str(&text).map_err(|error| error.to_string())
    } else {
        toml::from_str(&text).map_err(|error| error.to_string())
    };
    read.map(|read| read.cases).map_err(|error| {
        Failure::usage(
            format!("The cases do not fit: {error}."),
            "docs/POLICIES.md describes them; `keystead policies test --help` shows one.",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use keystead_sdk::api::PolicyDecision;

    #[test]
    fn cases_are_read_from_toml_and_json() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (folder.path().join("a.toml"), folder.path().join("a.json"));
        std::fs::write(&one, "[[cases]]\nname = 'a'\nexpect = 'forbid'\ntime = '2026-01-01T00:00:00Z'\n")
            .unwrap();
        std::fs::write(&other, r#"{"cases":[{"name":"a","expect":"forbid","time":"2026-01-01T00:00:00Z"}]}"#)
            .unwrap();
        let read_one = read(one).unwrap();
        assert_eq!(read_one, read(other).unwrap());
        assert_eq!(read_one[0].expect, PolicyDecision::Forbid);
        let wrong = folder.path().join("b.toml");
        std::fs::write(&wrong, "[[cases]]\nname = 'a'\nexpects = 'forbid'\n").unwrap();
        assert!(read(wrong).is_err());
    }
}
