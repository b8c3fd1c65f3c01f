//! How policies, and tries of them, are shown.

use crate::output::Present;
use crate::output::table::Cell;
use keystead_sdk::api::{Policy, PolicyCaseResult, PolicyDecision};

const fn yes(is: bool) -> &'static str {
    if is { "yes" } else { "no" }
}

const fn word(decision: PolicyDecision) -> &'static str {
    match decision {
        PolicyDecision::Allow => "allow",
        PolicyDecision::Forbid => "forbid",
    }
}

fn standing(policy: &Policy) -> &'static str {
    match (policy.enabled, policy.mistakes.is_empty()) {
        (false, _) => "no",
        (true, true) => "yes",
        (true, false) => "NOT VALID",
    }
}

impl Present for Policy {
    const HEADINGS: &'static [&'static str] = &["ID", "NAME", "PROJECT", "IN FORCE", "DESCRIPTION"];

    fn row(&self) -> Vec<Cell> {
        vec![
            self.id.as_str().into(),
            self.name.as_str().into(),
            Cell::maybe(self.project.as_deref()),
            standing(self).into(),
            Cell::from(self.description.as_str()).shortened(48),
        ]
    }

    fn fields(&self) -> Vec<(&'static str, Cell)> {
        let mistakes: Vec<String> = self
            .mistakes
            .iter()
            .map(|one| format!("line {}, column {}: {} {}", one.line, one.column, one.detail, one.fix))
            .collect();
        vec![
            ("id", self.id.as_str().into()),
            ("name", self.name.as_str().into()),
            ("project", Cell::maybe(self.project.as_deref())),
            ("description", self.description.as_str().into()),
            ("in force", standing(self).into()),
            ("mistakes", Cell::list(&mistakes)),
            ("created", Cell::time(Some(self.created_at))),
            ("changed", Cell::time(Some(self.updated_at))),
            ("version", self.version.to_string().into()),
        ]
    }
}

impl Present for PolicyCaseResult {
    const HEADINGS: &'static [&'static str] = &["CASE", "AS EXPECTED", "EXPECTED", "DECISION", "BY"];

    fn row(&self) -> Vec<Cell> {
        let by: Vec<String> = self
            .by
            .iter()
            .map(|finding| format!("{}#{}: {}", finding.name, finding.statement, finding.why))
            .collect();
        vec![
            Cell::from(self.name.as_str()).shortened(48),
            yes(self.passed).into(),
            word(self.expect).into(),
            word(self.decision).into(),
            Cell::list(&by),
        ]
    }

    fn fields(&self) -> Vec<(&'static str, Cell)> {
        ["case", "as expected", "expected", "decision", "by"].into_iter().zip(self.row()).collect()
    }
}
